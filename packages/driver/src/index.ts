export { ensureDriver, type DriverState, type EnsureDriverOptions } from './ensure.ts';
export { withoutNativeNoise } from './quiet.ts';
