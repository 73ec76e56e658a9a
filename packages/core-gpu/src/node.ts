export { closeAllGpus } from './platform/node/held.ts';
export { kernelsHash } from './shaders/generated.ts';
export {
  addMeasured,
  readMeasured,
  strikeDamaged,
  tunedFile,
  tunedTableOf,
  type Measured,
  type MeasuredTable,
  type Struck,
} from './platform/node/tuned-file.ts';
