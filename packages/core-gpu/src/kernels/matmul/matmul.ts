import type { Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import type { ShaderName } from '../../commands/shader.ts';
import { grid1d } from '../grid.ts';
import { operandWindow, splitIntoBlocks, type Block, type Operand, type Range } from './blocks.ts';

const COMBINE_WORKGROUP = 64;

/** A batch of products c = op(a) op(b): op(a) is [m, k], op(b) is [k, n], c is [m, n]. */
export interface MatmulShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Number of products; each operand is then a batch of matrices. Default 1. */
  readonly batch?: number;
  /** a is stored as [k, m]. */
  readonly transposeA?: boolean;
  /** b is stored as [n, k]. */
  readonly transposeB?: boolean;
}

/** What is done to the product on its way into c. */
export interface MatmulEpilogue {
  /** Adds `bias` [n] to every row. */
  readonly bias: boolean;
  /** Then takes max(c, 0). */
  readonly relu: boolean;
}

/** The kernel for a product and how it is cut up. */
export interface MatmulChoice {
  readonly variant: 'naive';
  /** Rows and columns of c that one workgroup computes. */
  readonly tileM: number;
  readonly tileN: number;
  /** Into how many parts the sum over k is split, each with workgroups of its own. */
  readonly splits: number;
}

/** Chooses by plain numbers; no GPU is asked. */
export function chooseMatmul(_shape: MatmulShape, _target: KernelTarget): MatmulChoice {
  return { variant: 'naive', tileM: 8, tileN: 8, splits: 1 };
}

/**
 * c = op(a) op(b) (+ bias) (relu). Buffers: `a`, `b`, `bias` [n] (null where the option says so), `c`.
 *
 * Operands larger than a binding are cut into blocks (see blocks.ts); any size works that fits into memory.
 */
export function planMatmul(shape: MatmulShape, epilogue: MatmulEpilogue, target: KernelTarget): Plan {
  return planMatmulAs(chooseMatmul(shape, target), shape, epilogue, target);
}

/** The same with a given choice, for tests and the ladder. */
export function planMatmulAs(
  choice: MatmulChoice,
  shape: MatmulShape,
  epilogue: MatmulEpilogue,
  target: KernelTarget,
): Plan {
  const { m, n, k, batch = 1, transposeA = false, transposeB = false } = shape;
  const a: Operand = transposeA
    ? { name: 'a', rows: k, columns: m, rowAxis: 'k', columnAxis: 'm' }
    : { name: 'a', rows: m, columns: k, rowAxis: 'm', columnAxis: 'k' };
  const b: Operand = transposeB
    ? { name: 'b', rows: n, columns: k, rowAxis: 'n', columnAxis: 'k' }
    : { name: 'b', rows: k, columns: n, rowAxis: 'k', columnAxis: 'n' };
  const c: Operand = { name: 'c', rows: m, columns: n, rowAxis: 'm', columnAxis: 'n' };
  const whole: Block = { batch: [0, batch], m: [0, m], n: [0, n], k: [0, k] };
  const blocks = splitIntoBlocks(whole, [b, a, c], target, batch);
  const parts = blocks.map((block) => planBlock(block, { choice, shape, epilogue, a, b, c }, target));
  const partialBytes = Math.max(0, ...parts.map((part) => part.partialBytes));
  return {
    kernel: 'matmul',
    variant: choice.variant,
    dispatches: parts.flatMap((part) => part.dispatches),
    temporaries: partialBytes > 0 ? { partial: partialBytes } : {},
    flops: 2 * batch * m * n * k,
    bytes: 4 * batch * (m * k + k * n + m * n),
  };
}

interface Problem {
  readonly choice: MatmulChoice;
  readonly shape: MatmulShape;
  readonly epilogue: MatmulEpilogue;
  readonly a: Operand;
  readonly b: Operand;
  readonly c: Operand;
}

const size = ([from, to]: Range): number => to - from;

function planBlock(
  block: Block,
  { choice, shape, epilogue, a, b, c }: Problem,
  target: KernelTarget,
): { dispatches: Dispatch[]; partialBytes: number } {
  const { transposeA = false, transposeB = false } = shape;
  const [batch, m, n, k] = [size(block.batch), size(block.m), size(block.n), size(block.k)];
  const items = shape.batch ?? 1;
  const windows = [a, b, c].map((operand) => operandWindow(operand, block, target, items));
  const [aWindow, bWindow, cWindow] = windows;
  if (!aWindow || !bWindow || !cWindow) throw new Error('three operands have three windows');
  const biasOperand: Operand = { name: 'bias', rows: 1, columns: shape.n, rowAxis: 'm', columnAxis: 'n' };
  const biasWindow = epilogue.bias
    ? operandWindow(biasOperand, { ...block, batch: [0, 1], m: [0, 1] }, target, 1)
    : { binding: 'bias', offset: 0 };

  const last = block.k[1] === shape.k;
  const finish = {
    biasOffset: biasWindow.offset,
    accumulate: block.k[0] > 0 ? 1 : 0,
    useBias: epilogue.bias && last ? 1 : 0,
    useRelu: epilogue.relu && last ? 1 : 0,
  };
  const place = { cOffset: cWindow.offset, cRow: shape.n, cBatch: shape.m * shape.n };

  const outputs = batch * m * n;
  const affordable = Math.max(1, Math.floor(target.maxBindingBytes / (4 * outputs)));
  const wanted = Math.min(choice.splits, affordable);
  const kPerSplit = Math.ceil(k / wanted / 4) * 4;
  const splits = Math.ceil(k / kPerSplit);
  const tilesM = Math.ceil(m / choice.tileM);
  const tilesN = Math.ceil(n / choice.tileN);
  const groups = tilesM * tilesN * batch * splits;
  const direct = splits === 1;

  const product: Dispatch = {
    shader: `matmul/${choice.variant}`,
    constants: { TRANSPOSE_A: transposeA, TRANSPOSE_B: transposeB },
    uniforms: {
      m,
      n,
      k,
      batch,
      tilesM,
      tilesN,
      kPerSplit,
      groups,
      aOffset: aWindow.offset,
      aRow: a.columns,
      aBatch: a.rows * a.columns,
      bOffset: bWindow.offset,
      bRow: b.columns,
      bBatch: b.rows * b.columns,
      ...(direct ? place : { cOffset: 0, cRow: n, cBatch: m * n }),
      cSplit: direct ? 0 : outputs,
      ...(direct ? finish : { biasOffset: 0, accumulate: 0, useBias: 0, useRelu: 0 }),
    },
    bindings: {
      a: aWindow.binding,
      b: bWindow.binding,
      bias: biasWindow.binding,
      c: direct ? cWindow.binding : 'partial',
    },
    grid: grid1d(groups, 1, target),
  };
  if (direct) return { dispatches: [product], partialBytes: 0 };
  const combine: Dispatch = {
    shader: 'matmul/combine',
    constants: { WORKGROUP: COMBINE_WORKGROUP },
    uniforms: { m, n, batch, splits, ...place, ...finish },
    bindings: { partial: 'partial', bias: biasWindow.binding, c: cWindow.binding },
    grid: grid1d(outputs, COMBINE_WORKGROUP, target),
  };
  return { dispatches: [product, combine], partialBytes: 4 * splits * outputs };
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): { shader: ShaderName; constants: Record<string, number | boolean> }[] {
  const flags = [false, true];
  return [
    { shader: 'matmul/combine', constants: { WORKGROUP: COMBINE_WORKGROUP } },
    ...flags.flatMap((TRANSPOSE_A) =>
      flags.map((TRANSPOSE_B) => ({
        shader: 'matmul/naive' as const,
        constants: { TRANSPOSE_A, TRANSPOSE_B },
      })),
    ),
  ];
}
