export { bindingSlices, type BindingSlice } from './binding-slices.ts';
export { grid1d } from './grid.ts';
export type { Ladder, Rung } from './ladder.ts';
export { ladders } from './ladders.ts';
export { tunableKernels, tunables } from './tunables.ts';
export {
  planConv2dFilterGradient,
  planConv2dForward,
  planConv2dInputGradient,
  type Conv2dEpilogue,
} from './conv2d/conv2d.ts';
export { conv2dShape, type Conv2dOptions, type Conv2dShape } from './conv2d/shape.ts';
export { planActivation, planActivationGradient, type ActivationKind } from './activation/activation.ts';
export { planAugment, type AugmentShape } from './augment/augment.ts';
export { packTransforms } from './augment/pack.ts';
export type { AffineMatrix, FillMode, ImageTransform, Interpolation } from './augment/transform.ts';
export { planConcatRead, planConcatWrite, type ConcatSlice } from './concat/concat.ts';
export { planDropout, type DropoutOptions } from './dropout/dropout.ts';
export {
  planAccumulate,
  planAdd,
  planCast,
  planFill,
  planMultiply,
  planScale,
} from './elementwise/elementwise.ts';
export {
  planSigmoidCrossEntropy,
  planSigmoidCrossEntropyGradient,
  planSoftmaxCrossEntropy,
  planSoftmaxCrossEntropyGradient,
  planWeighRows,
  type LossGradientShape,
} from './loss/loss.ts';
export {
  planMaximum,
  planMaximumGradient,
  planUnary,
  planUnaryGradient,
  type UnaryKind,
} from './math/math.ts';
export { planBinaryCorrect, planCategoricalCorrect } from './metrics/metrics.ts';
export { planCrop2d, planZeroPad2d, type PaddingShape } from './padding/padding.ts';
export {
  planGlobalAveragePoolForward,
  planGlobalAveragePoolInputGradient,
  type SpatialShape,
} from './pooling/global.ts';
export {
  planAveragePoolForward,
  planAveragePoolInputGradient,
  planMaxPoolForward,
  planMaxPoolInputGradient,
} from './pooling/pooling.ts';
export { poolShape, type PoolOptions, type PoolShape } from './pooling/shape.ts';
export { planOneHot, planPreprocess, type PreprocessMode } from './preprocess/preprocess.ts';
export type { RowsShape } from './row-reductions.ts';
export { planSoftmax, planSoftmaxGradient } from './softmax/softmax.ts';
export type { MatmulShape } from './matmul/choose.ts';
export { planMatmul, type MatmulEpilogue } from './matmul/matmul.ts';
export {
  planBatchNormFold,
  planBatchNormInferenceGradient,
  planBatchNormNormalize,
  planBatchNormStatistics,
  planBatchNormTrainingGradient,
  planMovingAverage,
  type BatchNormOptions,
  type BatchNormShape,
} from './batch-norm/batch-norm.ts';
export { planColumnSum, planSum, planSumOfSquares } from './reduce/reduce.ts';
export {
  planAdam,
  planAdamRate,
  planRmsprop,
  planSgd,
  type AdamOptions,
  type AdamRateOptions,
  type RmspropOptions,
  type SgdOptions,
} from './optimizers/optimizers.ts';
export { planPenalty, planPenaltyGradient, type PenaltyOptions } from './regularizer/regularizer.ts';
export { planClipByNorm, planClipByValue } from './clip/clip.ts';
export {
  planScaleLoss,
  planUnscaleGradient,
  planUpdateLossScale,
  type LossScaleRules,
} from './loss-scale/loss-scale.ts';
export { planCopyRate, planFmaRate, type FmaOptions } from './roofline/roofline.ts';
export type { WinogradChoice } from './winograd/choose.ts';
export { chooseConv2dFrozen, isWinograd, planConv2dFrozen, type FrozenChoice } from './winograd/frozen.ts';
export { planWinogradKernel, transformedKernelLength } from './winograd/winograd.ts';
export { multipliesFloat16 } from './fragments.ts';
