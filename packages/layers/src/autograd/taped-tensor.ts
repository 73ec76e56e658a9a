import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import { activation, softmax } from '../ops/activations.ts';
import { add, fill, multiply, scale, shift } from '../ops/elementwise.ts';
import { clip, divide, maximum, minimum, square, subtract, unary } from '../ops/math.ts';
import { mean, sum } from '../ops/reduce.ts';
import { reshape } from '../ops/reshape.ts';
import { type Scope } from '../tensor/scope.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Tape } from './tape.ts';

/** A tensor of the same shape, or a number for every element. */
export type Operand = TapedTensor | number;

/**
 * A tensor with the tape that notes what is computed from it: what losses and metrics of one's own are written in. Every
 * method has a gradient. What they make belongs to the scope they run in and is given back at its end.
 */
export class TapedTensor {
  readonly tensor: Tensor;
  readonly #tape: Tape | null;
  readonly #scope: Scope;

  /** `tensor` stays the caller's own. */
  constructor(tensor: Tensor, tape: Tape | null, scope: Scope) {
    this.tensor = tensor;
    this.#tape = tape;
    this.#scope = scope;
  }

  get shape(): readonly number[] {
    return this.tensor.shape;
  }

  get gpu(): Gpu {
    return this.tensor.gpu;
  }

  /** Another op: a function that is given the tensor and the tape, and records its gradient there if there is one. */
  apply(op: (x: Tensor, tape: Tape | null) => Tensor): TapedTensor {
    return this.#made(op(this.tensor, this.#tape));
  }

  add(other: Operand): TapedTensor {
    return typeof other === 'number'
      ? this.apply((x, tape) => shift(x, other, tape))
      : this.#with(other, add);
  }

  sub(other: Operand): TapedTensor {
    return typeof other === 'number' ? this.add(-other) : this.#with(other, subtract);
  }

  mul(other: Operand): TapedTensor {
    return typeof other === 'number'
      ? this.apply((x, tape) => scale(x, other, tape))
      : this.#with(other, multiply);
  }

  div(other: Operand): TapedTensor {
    return typeof other === 'number' ? this.mul(1 / other) : this.#with(other, divide);
  }

  /** The larger of the two; where they are equal the gradient goes to this one. */
  maximum(other: Operand): TapedTensor {
    return this.#with(this.#filled(other), maximum);
  }

  /** The smaller of the two; where they are equal the gradient goes to this one. */
  minimum(other: Operand): TapedTensor {
    return this.#with(this.#filled(other), minimum);
  }

  neg(): TapedTensor {
    return this.mul(-1);
  }

  square(): TapedTensor {
    return this.apply(square);
  }

  /** The absolute value; its gradient at 0 is 0. */
  abs(): TapedTensor {
    return this.apply((x, tape) => unary('abs', x, tape));
  }

  sqrt(): TapedTensor {
    return this.apply((x, tape) => unary('sqrt', x, tape));
  }

  exp(): TapedTensor {
    return this.apply((x, tape) => unary('exp', x, tape));
  }

  /** The natural logarithm. */
  log(): TapedTensor {
    return this.apply((x, tape) => unary('log', x, tape));
  }

  /** Brought into `min` .. `max`; no gradient flows from outside of them. */
  clipByValue(min: number, max: number): TapedTensor {
    return this.apply((x, tape) => clip(x, min, max, tape));
  }

  relu(): TapedTensor {
    return this.apply((x, tape) => activation('relu', x, tape));
  }

  sigmoid(): TapedTensor {
    return this.apply((x, tape) => activation('sigmoid', x, tape));
  }

  tanh(): TapedTensor {
    return this.apply((x, tape) => activation('tanh', x, tape));
  }

  /** Softmax over the last axis. */
  softmax(): TapedTensor {
    return this.apply(softmax);
  }

  /** The sum over the first axis (0) or the last (-1), or of everything. Throws `op/axis` for another. */
  sum(axis?: number): TapedTensor {
    return this.apply((x, tape) => sum(x, axis, tape));
  }

  /** The mean over the first axis (0) or the last (-1), or of everything. Throws `op/axis` for another. */
  mean(axis?: number): TapedTensor {
    return this.apply((x, tape) => mean(x, axis, tape));
  }

  reshape(shape: readonly number[]): TapedTensor {
    return this.apply((x, tape) => reshape(x, shape, tape));
  }

  #filled(other: Operand): TapedTensor {
    if (typeof other !== 'number') return other;
    return this.#made(fill(this.gpu, this.shape, other, 'constant', this.tensor.dtype));
  }

  #with(other: TapedTensor, op: (a: Tensor, b: Tensor, tape: Tape | null) => Tensor): TapedTensor {
    if (!(other instanceof TapedTensor) || formatShape(other.shape) !== formatShape(this.shape)) {
      const what = other instanceof TapedTensor ? `shape ${formatShape(other.shape)}` : `a ${typeof other}`;
      throw new ConvbaseError('op/shape', `shape ${formatShape(this.shape)} does not go with ${what}`, {
        fix: 'Give numbers, or tensors of one shape: reshape(), or sum over what one of them lacks.',
      });
    }
    return this.#made(op(this.tensor, other.tensor, this.#tape));
  }

  #made(tensor: Tensor): TapedTensor {
    return new TapedTensor(this.#scope.own(tensor), this.#tape, this.#scope);
  }
}
