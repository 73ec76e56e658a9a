export type { Backward } from './autograd/tape.ts';
export { Tape } from './autograd/tape.ts';
export { TapedTensor, type Operand } from './autograd/taped-tensor.ts';

export * from './augmentation/index.ts';
export * from './datasets/index.ts';
export * from './layers/index.ts';
export * as ops from './ops/index.ts';
export * from './losses/index.ts';
export * from './callbacks/index.ts';
export { metricFrom, type Metric } from './metrics/index.ts';
export * from './optimizers/index.ts';
export {
  l1,
  l1l2,
  l2,
  regularizerConfig,
  regularizerFrom,
  type Regularizer,
  type RegularizerLike,
} from './regularizers/index.ts';

export { Model, type ModelConfig } from './model/model.ts';
export { Sequential, type SequentialConfig } from './model/sequential.ts';
export { splitFrozen, type FrozenSplit } from './model/split.ts';
export type { SummaryOptions } from './model/summary.ts';

export {
  checkHostArray,
  inputsOf,
  type ArrayInput,
  type Batch,
  type HostArray,
  type PreprocessMode,
} from './tensor/host-array.ts';
export { scope, Scope } from './tensor/scope.ts';
export { formatShape, sizeOf, type Dimension, type Shape } from './tensor/shape.ts';
export { tensor, Tensor, type DType, type FloatType } from './tensor/tensor.ts';

export {
  epochLines,
  exportCallbackStates,
  importCallbackStates,
  type Callback,
  type CallbackState,
  type Logs,
  type Progress,
  type StateTensor,
} from './training/callbacks.ts';
export { balancedClassWeight } from './training/class-weight.ts';
export type { SampleArrays } from './training/check-batch.ts';
export type { Compiled, CompileConfig } from './training/compiled.ts';
export type { ArrayOptions, Inputs, ValidationArrays } from './training/data.ts';
export type { EvaluateArraysConfig, EvaluateConfig } from './training/evaluate.ts';
export type { FitArraysConfig, FitConfig, History } from './training/fit.ts';
export { bottleneckOf, InputMeter, type Bottleneck, type InputTimes } from './training/input-meter.ts';
export type { Network } from './training/network.ts';
export { precisionFrom, precisions, type Precision } from './training/precision.ts';
export { epochStart, type FitPosition, type TotalsState } from './training/position.ts';
export type { PredictArrayConfig, PredictConfig, PredictedBatch } from './training/predict.ts';
export { exportTrainingState, importTrainingState, type TrainingState } from './training/state.ts';
export { readTrainedWeights, writeTrainedWeights } from './training/trained-weights.ts';
export { takeSteps } from './training/take-steps.ts';
export { uploadInput } from './training/upload.ts';
