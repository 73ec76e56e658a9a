/** A flag as a uniform: WGSL has no bool uniforms. */
export function uniformFlag(value: boolean): number {
  return value ? 1 : 0;
}
