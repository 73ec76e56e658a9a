import { concat } from '../../ops/concat.ts';
import { reshape } from '../../ops/reshape.ts';
import { formatShape, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { CallContext } from '../context.ts';
import type { LayerConfig } from '../layer.ts';
import { wholeOption } from '../numbers.ts';
import { Operation } from './operation.ts';

export interface StackConfig extends LayerConfig {
  /** The last axis, which is the only one supported. */
  readonly axis: number;
}

/** Lays tensors of one shape side by side along a new last axis. */
export class Stack extends Operation {
  readonly axis: number;

  constructor(config: StackConfig) {
    super('Stack', config);
    this.axis = wholeOption(config.axis, this.named('axis'), -Infinity);
  }

  outputShapes(inputs: readonly Shape[]): readonly Shape[] {
    const [first, ...others] = inputs;
    if (first === undefined) this.fail('layer/inputs', 'stacks at least one tensor');
    if (this.axis !== -1 && this.axis !== first.length) {
      this.fail('layer/axis', `stacks along axis ${this.axis}; only a new last axis is supported`);
    }
    if (!others.every((other) => formatShape(other) === formatShape(first))) {
      this.fail('layer/shape', `cannot stack ${inputs.map(formatShape).join(', ')}`);
    }
    return [[...first, inputs.length]];
  }

  call(inputs: readonly Tensor[], { tape }: CallContext): readonly Tensor[] {
    const columns = inputs.map((x) => reshape(x, [...x.shape, 1], tape));
    const y = concat(columns, tape);
    for (const column of columns) column.dispose();
    return [y];
  }
}
