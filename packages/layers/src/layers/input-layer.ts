import type { Dimension, Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { wholeOption } from './numbers.ts';
import { Layer, Node, type LayerConfig, type SymbolicTensor } from './layer.ts';

export interface InputConfig extends LayerConfig {
  /** The shape of one sample, without the batch: `[150, 150, 3]`; `null` for any size. */
  readonly shape: Shape;
}

/** Where data enters a model. */
export class InputLayer extends Layer {
  /** Batch first. */
  readonly batchShape: Shape;
  readonly symbolic: SymbolicTensor;

  constructor(config: InputConfig) {
    super('InputLayer', config);
    const open = (dimension: Dimension): Dimension =>
      dimension === null ? null : wholeOption(dimension, this.named('shape'));
    this.batchShape = [null, ...config.shape.map(open)];
    this.ensureBuilt([]);
    const [output] = new Node(this, [], [this.batchShape]).outputs;
    this.symbolic = output ?? this.fail('layer/outputs', 'the input has no output');
  }

  outputShapes(): readonly Shape[] {
    return [this.batchShape];
  }

  call(): readonly Tensor[] {
    this.fail('model/input', 'was given no data');
  }
}

/** A symbolic tensor to build a model on: `const x = input({ shape: [150, 150, 3] })`. */
export function input(config: InputConfig): SymbolicTensor {
  return new InputLayer(config).symbolic;
}
