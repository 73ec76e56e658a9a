import type { Gpu } from '@convbase/core-gpu';
import type { ActivationName } from '../layers/activate.ts';
import type { CallContext } from '../layers/context.ts';
import type { Layer, SymbolicTensor } from '../layers/layer.ts';
import type { Variable } from '../layers/variable.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Compiled } from './compiled.ts';
import type { Precision } from './precision.ts';

/** What training needs of a model. */
export interface Network {
  readonly name: string;
  readonly gpu: Gpu;
  readonly compiled: Compiled;
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
  readonly weights: readonly Variable[];
  readonly trainableWeights: readonly Variable[];
  readonly sublayers: readonly Layer[];
  readonly outputActivation: ActivationName;
  readonly precision: Precision;
  stopTraining: boolean;
  call(inputs: readonly Tensor[], context: CallContext): readonly Tensor[];
  logits(inputs: readonly Tensor[], context: CallContext): Tensor;
}
