import type { Binding, KernelTarget } from '../../commands/plan.ts';

/** A half-open range [from, to). */
export type Range = readonly [from: number, to: number];

/** A part of a batched matrix product: these products, these rows and columns of c, these terms of the sums. */
export interface Subproblem {
  readonly batch: Range;
  readonly m: Range;
  readonly n: Range;
  readonly k: Range;
}

type Axis = 'm' | 'n' | 'k';

/** A batch of row-major float matrices and which axes of the product its rows and columns are. */
export interface Operand {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly rowAxis: Axis;
  readonly columnAxis: Axis;
}

/** The part of an operand that a subproblem reads or writes, as a binding. */
export interface OperandSlice {
  readonly binding: Binding;
  /** Elements between the start of the binding and the subproblem's first element. */
  readonly offset: number;
}

const length = ([from, to]: Range): number => to - from;

/** The binding slice that holds an operand's part of a subproblem. */
export function operandSlice(
  operand: Operand,
  subproblem: Subproblem,
  target: KernelTarget,
  batch: number,
): OperandSlice {
  const { name, rows, columns } = operand;
  const [first, count] = elementRange(operand, subproblem);
  if (4 * batch * rows * columns <= target.maxBindingBytes) return { binding: name, offset: first };
  const remainder = (4 * first) % target.offsetAlignment;
  return {
    binding: { buffer: name, offset: 4 * first - remainder, size: remainder + 4 * count },
    offset: remainder / 4,
  };
}

/**
 * Cuts a product into subproblems whose operands fit into bindings.
 *
 * Whatever does not fit is halved along the axis that shortens its range of memory: the batch, else its rows,
 * else its columns. Halves along k come in order, so that a subproblem with k[0] > 0 can add to what the earlier
 * ones have left in c, and results do not depend on chance.
 */
export function splitProduct(
  subproblem: Subproblem,
  operands: readonly Operand[],
  target: KernelTarget,
  batch: number,
): Subproblem[] {
  const tooLarge = operands.find((operand) => !fits(operand, subproblem, target, batch));
  if (!tooLarge) return [subproblem];
  const axis =
    length(subproblem.batch) > 1
      ? 'batch'
      : length(subproblem[tooLarge.rowAxis]) > 1
        ? tooLarge.rowAxis
        : tooLarge.columnAxis;
  const [from, to] = subproblem[axis];
  const middle = from + half(to - from);
  return [
    ...splitProduct({ ...subproblem, [axis]: [from, middle] }, operands, target, batch),
    ...splitProduct({ ...subproblem, [axis]: [middle, to] }, operands, target, batch),
  ];
}

function fits(operand: Operand, subproblem: Subproblem, target: KernelTarget, batch: number): boolean {
  if (4 * batch * operand.rows * operand.columns <= target.maxBindingBytes) return true;
  const [first, count] = elementRange(operand, subproblem);
  return ((4 * first) % target.offsetAlignment) + 4 * count <= target.maxBindingBytes;
}

/** First element and number of elements from a subproblem's first to its last element in an operand. */
function elementRange(
  { rows, columns, rowAxis, columnAxis }: Operand,
  subproblem: Subproblem,
): [number, number] {
  const { batch, [rowAxis]: row, [columnAxis]: column } = subproblem;
  const first = (batch[0] * rows + row[0]) * columns + column[0];
  const last = ((batch[1] - 1) * rows + row[1] - 1) * columns + column[1] - 1;
  return [first, last - first + 1];
}

/** About half, and a whole number of tiles where there are several, so that few edges are ragged. */
function half(count: number): number {
  const unit = count >= 256 ? 64 : count >= 16 ? 4 : 1;
  return Math.ceil(count / 2 / unit) * unit;
}
