import { Layer } from '../layer.ts';

/** An argument of an operation that is no tensor of the model: a number, or an array of them. */
export interface Constant {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/**
 * An operation between layers, as `x + 1` puts it into a model: it has no weights, and `model.layers` leaves it out as
 * Keras does.
 */
export abstract class Operation extends Layer {}
