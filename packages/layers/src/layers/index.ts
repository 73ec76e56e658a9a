export { activationFrom, type ActivationName } from './activate.ts';
export {
  Activation,
  ReLU,
  Softmax,
  type ActivationConfig,
  type ReLUConfig,
  type SoftmaxConfig,
} from './activation.ts';
export * from './augmentation/index.ts';
export { BatchNormalization, type BatchNormalizationConfig } from './batch-normalization.ts';
export { CallContext } from './context.ts';
export { Conv2D, type Conv2DConfig } from './conv2d.ts';
export { Dense, type DenseConfig } from './dense.ts';
export { Dropout, type DropoutConfig } from './dropout.ts';
export type { Epilogue, Foldable, FollowsAs, TakesIn } from './fusion.ts';
export * as initializers from './initializers.ts';
export type { Initializer, InitializerLike, KerasInitializer } from './initializers.ts';
export { input, InputLayer, type InputConfig } from './input-layer.ts';
export { Layer, SymbolicTensor, UnaryLayer, type LayerConfig, type Node } from './layer.ts';
export { Add, Concatenate, type ConcatenateConfig } from './merging.ts';
export { NameScope, resetNames, toCamelCase, toSnakeCase } from './names.ts';
export * from './operations/index.ts';
export type { PairLike } from './pairs.ts';
export {
  AveragePooling2D,
  GlobalAveragePooling2D,
  GlobalMaxPooling2D,
  MaxPooling2D,
  type GlobalPoolingConfig,
  type PoolingConfig,
} from './pooling.ts';
export { Rescaling, type RescalingConfig } from './rescaling.ts';
export { Flatten, Reshape, type ReshapeConfig } from './reshaping.ts';
export { Variable } from './variable.ts';
export { ZeroPadding2D, type ZeroPadding2DConfig } from './zero-padding2d.ts';
