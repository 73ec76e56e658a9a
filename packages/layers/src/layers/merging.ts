import { concat } from '../ops/concat.ts';
import { add } from '../ops/elementwise.ts';
import { formatShape, type Dimension, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { CallContext } from './context.ts';
import type { FollowsAs } from './fusion.ts';
import { Layer, type LayerConfig } from './layer.ts';
import { wholeOption } from './numbers.ts';

/** The sum of two or more tensors of one shape. */
export class Add extends Layer {
  constructor(config: LayerConfig = {}) {
    super('Add', config);
  }

  outputShapes(inputs: readonly Shape[]): readonly Shape[] {
    const [first, ...others] = inputs;
    if (first === undefined || others.length === 0) this.fail('layer/inputs', 'adds at least two inputs');
    return [others.reduce((sum, shape) => this.#merge(sum, shape), first)];
  }

  call(inputs: readonly Tensor[], context: CallContext): readonly Tensor[] {
    const [first, second, ...others] = inputs;
    if (first === undefined || second === undefined) this.fail('layer/inputs', 'adds at least two inputs');
    let sum = add(first, second, context.tape);
    for (const other of others) {
      const next = add(sum, other, context.tape);
      sum.dispose();
      sum = next;
    }
    return [sum];
  }

  override followsAs(): FollowsAs {
    return { kind: 'sum' };
  }

  #merge(a: Shape, b: Shape): Shape {
    const fits =
      a.length === b.length && a.every((d, axis) => d === null || b[axis] === null || d === b[axis]);
    if (!fits) {
      this.fail(
        'layer/shape',
        `cannot add ${formatShape(a)} and ${formatShape(b)}`,
        'Only equal shapes can be added.',
      );
    }
    return a.map((dimension, axis) => dimension ?? b[axis] ?? null);
  }
}

export interface ConcatenateConfig extends LayerConfig {
  /** The last axis, which is the only one supported; -1 when left out. */
  readonly axis?: number;
}

/** Joins tensors along the channels. */
export class Concatenate extends Layer {
  readonly axis: number;

  constructor(config: ConcatenateConfig = {}) {
    super('Concatenate', config);
    this.axis = wholeOption(config.axis ?? -1, this.named('axis'), -Infinity);
  }

  outputShapes(inputs: readonly Shape[]): readonly Shape[] {
    const [first, ...others] = inputs;
    if (first === undefined) this.fail('layer/inputs', 'joins at least one input');
    if (this.axis !== -1 && this.axis !== first.length - 1) {
      this.fail(
        'layer/axis',
        `joins axis ${this.axis} of ${formatShape(first)}; only the last axis is supported`,
      );
    }
    let rest = first.slice(0, -1);
    let channels: Dimension = first.at(-1) ?? null;
    for (const shape of others) {
      const head = shape.slice(0, -1);
      if (head.length !== rest.length || head.some((d, i) => d !== null && (rest[i] ?? d) !== d)) {
        this.fail(
          'layer/shape',
          `cannot join ${inputs.map(formatShape).join(', ')}`,
          'All axes but the last have to be equal.',
        );
      }
      rest = rest.map((dimension, axis) => dimension ?? head[axis] ?? null);
      const more = shape.at(-1) ?? null;
      channels = channels === null || more === null ? null : channels + more;
    }
    return [[...rest, channels]];
  }

  call(inputs: readonly Tensor[], context: CallContext): readonly Tensor[] {
    return [concat(inputs, context.tape)];
  }

  override followsAs(): FollowsAs {
    return { kind: 'join' };
  }
}
