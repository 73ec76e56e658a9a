import type { Binding, KernelTarget } from '../../commands/plan.ts';

/** A half-open range [from, to). */
export type Range = readonly [from: number, to: number];

/** A part of a batched matrix product: these products, these rows and columns of c, these terms of the sums. */
export interface Block {
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

/** An operand's part of a block as a binding. */
export interface Window {
  readonly binding: Binding;
  /** Elements between the start of the binding and the block's first element. */
  readonly offset: number;
}

const length = ([from, to]: Range): number => to - from;

/** The stretch of memory that holds an operand's part of a block. */
export function operandWindow(operand: Operand, block: Block, target: KernelTarget, batch: number): Window {
  const { name, rows, columns } = operand;
  const [first, count] = stretch(operand, block);
  if (4 * batch * rows * columns <= target.maxBindingBytes) return { binding: name, offset: first };
  const remainder = (4 * first) % target.offsetAlignment;
  return {
    binding: { buffer: name, offset: 4 * first - remainder, size: remainder + 4 * count },
    offset: remainder / 4,
  };
}

/**
 * Cuts a product into blocks whose operands fit into bindings.
 *
 * Whatever does not fit is halved along the axis that shortens its stretch of memory: the batch, else its rows,
 * else its columns. Halves along k come in order, so that a block with k[0] > 0 can add to what the earlier
 * ones have left in c, and results do not depend on chance.
 */
export function splitIntoBlocks(
  block: Block,
  operands: readonly Operand[],
  target: KernelTarget,
  batch: number,
): Block[] {
  const tooLarge = operands.find((operand) => !fits(operand, block, target, batch));
  if (!tooLarge) return [block];
  const axis =
    length(block.batch) > 1
      ? 'batch'
      : length(block[tooLarge.rowAxis]) > 1
        ? tooLarge.rowAxis
        : tooLarge.columnAxis;
  const [from, to] = block[axis];
  const middle = from + half(to - from);
  return [
    ...splitIntoBlocks({ ...block, [axis]: [from, middle] }, operands, target, batch),
    ...splitIntoBlocks({ ...block, [axis]: [middle, to] }, operands, target, batch),
  ];
}

function fits(operand: Operand, block: Block, target: KernelTarget, batch: number): boolean {
  if (4 * batch * operand.rows * operand.columns <= target.maxBindingBytes) return true;
  const [first, count] = stretch(operand, block);
  return ((4 * first) % target.offsetAlignment) + 4 * count <= target.maxBindingBytes;
}

/** First element and number of elements from a block's first to its last element in an operand. */
function stretch({ rows, columns, rowAxis, columnAxis }: Operand, block: Block): [number, number] {
  const { batch, [rowAxis]: row, [columnAxis]: column } = block;
  const first = (batch[0] * rows + row[0]) * columns + column[0];
  const last = ((batch[1] - 1) * rows + row[1] - 1) * columns + column[1] - 1;
  return [first, last - first + 1];
}

/** About half, and a whole number of tiles where there are several, so that few edges are ragged. */
function half(count: number): number {
  const unit = count >= 256 ? 64 : count >= 16 ? 4 : 1;
  return Math.ceil(count / 2 / unit) * unit;
}
