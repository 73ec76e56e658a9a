/**
 * The classes of WebGPU that are part of what this package exports, as the program that uses it knows them: from
 * TypeScript's own `lib.dom` (since 6.0) or from `@webgpu/types`. Where it knows neither they are `unknown`, and the
 * rest of the package's types hold all the same.
 *
 * A reference to `@webgpu/types` instead would give errors in every program that has `lib.dom` of TypeScript 6 and checks
 * its libraries: the two declare the same names differently (https://github.com/gpuweb/types/issues/192).
 */
type Instance<Name extends string> =
  typeof globalThis extends Record<Name, { prototype: infer Class }> ? Class : unknown;

export type GPUAdapterInfo = Instance<'GPUAdapterInfo'>;
export type GPUBuffer = Instance<'GPUBuffer'>;
export type GPUDevice = Instance<'GPUDevice'>;
export type GPUError = Instance<'GPUError'>;
export type GPUSupportedLimits = Instance<'GPUSupportedLimits'>;
