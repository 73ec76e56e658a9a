export { ensureDriver, type DriverState, type EnsureDriverOptions } from './driver/ensure.ts';
export { withoutNativeNoise } from './driver/quiet.ts';
