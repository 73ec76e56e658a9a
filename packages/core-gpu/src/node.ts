export { ensureDriver, type DriverState, type EnsureDriverOptions } from './driver/ensure.ts';
export { withoutNativeNoise } from './driver/quiet.ts';
export {
  addMeasured,
  kernelsHash,
  readMeasured,
  tunedFile,
  tunedTableOf,
  type Measured,
  type MeasuredTable,
} from './platform/node/tuned-file.ts';
