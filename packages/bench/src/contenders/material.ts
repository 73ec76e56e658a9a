import type { Materials } from '../protocol.ts';

/** The path of a file that a task cannot be done without. */
export function material(task: { readonly materials: Materials }, name: keyof Materials): string {
  const path = task.materials[name];
  if (path === undefined) throw new Error(`the task names no material "${name}"`);
  return path;
}
