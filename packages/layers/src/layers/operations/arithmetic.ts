import { channelAffine } from '../../ops/channels.ts';
import { add, multiply, scale } from '../../ops/elementwise.ts';
import { dimensionAt, formatShape, sizeOf, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { CallContext } from '../context.ts';
import type { LayerConfig } from '../layer.ts';
import { Operation, type Constant } from './operation.ts';

export type ArithmeticKind = 'Add' | 'Subtract' | 'Multiply' | 'Divide' | 'TrueDivide';

export interface ArithmeticConfig extends LayerConfig {
  readonly kind: ArithmeticKind;
  /** Both operands; null stands for a tensor of the model. A constant is one number, or one for each channel. */
  readonly operands: readonly [Constant | null, Constant | null];
}

/** The sum, difference, product or quotient of two tensors of one shape, or of a tensor and a constant. */
export class Arithmetic extends Operation {
  readonly kind: ArithmeticKind;
  readonly operands: readonly [Constant | null, Constant | null];

  constructor(config: ArithmeticConfig) {
    super(config.kind, config);
    this.kind = config.kind;
    this.operands = config.operands;
    const [left, right] = config.operands;
    const divides = this.kind === 'Divide' || this.kind === 'TrueDivide';
    if ((left !== null && right !== null) || (divides && (left !== null || right === null))) {
      this.fail('layer/unsupported', 'only a tensor can be divided, and only by a constant');
    }
    for (const constant of [left, right]) {
      if (constant !== null && constant.values.length !== sizeOf(constant.shape)) {
        this.fail(
          'layer/option',
          `${constant.values.length} numbers do not fill ${formatShape(constant.shape)}`,
        );
      }
    }
  }

  get #constant(): Constant | null {
    return this.operands[0] ?? this.operands[1];
  }

  outputShapes(inputs: readonly Shape[]): readonly Shape[] {
    const [x, other, ...more] = inputs;
    const constant = this.#constant;
    const wanted = constant === null ? 2 : 1;
    if (x === undefined || inputs.length !== wanted || more.length > 0)
      this.fail('layer/inputs', `takes ${wanted} tensors, not ${inputs.length}`);
    if (other !== undefined) {
      const fits =
        x.length === other.length &&
        x.every((d, axis) => d === null || other[axis] === null || d === other[axis]);
      if (!fits) this.fail('layer/shape', `cannot join ${formatShape(x)} and ${formatShape(other)}`);
      return [x.map((dimension, axis) => dimension ?? other[axis] ?? null)];
    }
    if (constant !== null) {
      const channels = dimensionAt(x, -1);
      const { length } = constant.values;
      const isRow = length === 1 || (length === channels && constant.shape.at(-1) === length);
      if (channels === null || constant.shape.length > x.length || !isRow) {
        this.fail(
          'layer/unsupported',
          `a constant of shape ${formatShape(constant.shape)} does not go with ${formatShape(x)}`,
          'Only one number, or one for each channel, can be added to or multiplied with a tensor.',
        );
      }
    }
    return [x];
  }

  call(inputs: readonly Tensor[], { tape }: CallContext): readonly Tensor[] {
    const [x, other] = inputs;
    if (x === undefined) this.fail('layer/inputs', 'takes at least one tensor');
    if (other === undefined) return [channelAffine(x, this.#affine(x.shape.at(-1) ?? 1), tape)];
    if (this.kind === 'Multiply') return [multiply(x, other, tape)];
    if (this.kind === 'Add') return [add(x, other, tape)];
    const negative = scale(other, -1, tape);
    const difference = add(x, negative, tape);
    negative.dispose();
    return [difference];
  }

  /** The operation with its constant as factor and offset of each channel. */
  #affine(channels: number): { factors: Float32Array; offsets: Float32Array } {
    const { values = [] } = this.#constant ?? {};
    const constant = Float32Array.from(
      { length: channels },
      (_, c) => values[values.length === 1 ? 0 : c] ?? 0,
    );
    const all = (value: number): Float32Array => new Float32Array(channels).fill(value);
    switch (this.kind) {
      case 'Add':
        return { factors: all(1), offsets: constant };
      case 'Multiply':
        return { factors: constant, offsets: all(0) };
      case 'Subtract':
        return this.operands[0] === null
          ? { factors: all(1), offsets: constant.map((value) => -value) }
          : { factors: all(-1), offsets: constant };
      case 'Divide':
      case 'TrueDivide':
        return { factors: constant.map((value) => 1 / value), offsets: all(0) };
    }
  }
}
