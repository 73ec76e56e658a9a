import type { Dispatch, KernelTarget, Plan, ShaderConstant } from '../../commands/plan.ts';
import type { ShaderName } from '../../commands/shader.ts';
import { grid1d } from '../grid.ts';
import {
  operandSlice,
  splitProduct,
  type Subproblem,
  type Operand,
  type Range,
  type OperandSlice,
} from './subproblems.ts';
import { chooseMatmul } from './choose.ts';
import { outerProductDispatches, outerProductVariants, type Product } from './outer-product.ts';
import { fragmentTileConstants, fragmentVariants, planWithFragments } from '../fragments.ts';
import {
  sharedMemoryTiles,
  outerProductTiles,
  subgroupTiles,
  type MatmulChoice,
  type MatmulShape,
} from './shape.ts';
import { checkExtents } from '../check-extents.ts';

const COMBINE_WORKGROUP = 64;

/** The part of k that a split sums is a multiple of this: of every variant's tile along k. */
const SPLIT_MULTIPLE = 32;

/** What runs where outer-product.wgsl was chosen and cannot: c is not aligned to vec4. */
const INSTEAD_OF_OUTER_PRODUCT = { variant: 'subgroup', tileM: 16, tileN: 32, rows: 16 } as const;

/** What is done to the product on its way into c. */
export interface MatmulEpilogue {
  /** Adds `bias` [n] to every row. */
  readonly bias: boolean;
  /** Then takes max(c, 0). */
  readonly relu: boolean;
}

/**
 * c = op(a) op(b) (+ bias) (relu). Buffers: `a`, `b`, `bias` [n] (null where the option says so), `c`.
 *
 * Operands larger than a binding are cut into subproblems (see subproblems.ts); any size works that fits into memory.
 */
export function planMatmul(shape: MatmulShape, epilogue: MatmulEpilogue, target: KernelTarget): Plan {
  checkExtents('matmul', { m: shape.m, n: shape.n, k: shape.k, batch: shape.batch });
  return planWithFragments(['a', 'b'], target, (on) =>
    planMatmulAs(shape, epilogue, on, chooseMatmul(shape, on)),
  );
}

/** The same with a given choice, for tests and the ladder. */
export function planMatmulAs(
  shape: MatmulShape,
  epilogue: MatmulEpilogue,
  target: KernelTarget,
  choice: MatmulChoice,
): Plan {
  const { m, n, k, batch = 1, transposeA = false, transposeB = false } = shape;
  const a: Operand = transposeA
    ? { name: 'a', rows: k, columns: m, rowAxis: 'k', columnAxis: 'm' }
    : { name: 'a', rows: m, columns: k, rowAxis: 'm', columnAxis: 'k' };
  const b: Operand = transposeB
    ? { name: 'b', rows: n, columns: k, rowAxis: 'n', columnAxis: 'k' }
    : { name: 'b', rows: k, columns: n, rowAxis: 'k', columnAxis: 'n' };
  const c: Operand = { name: 'c', rows: m, columns: n, rowAxis: 'm', columnAxis: 'n' };
  const whole: Subproblem = { batch: [0, batch], m: [0, m], n: [0, n], k: [0, k] };
  const subproblems = splitProduct(whole, [b, a, c], target, batch);
  const plans = subproblems.map((subproblem) =>
    planSubproblem(subproblem, { choice, shape, epilogue, a, b, c }, target),
  );
  return {
    kernel: 'matmul',
    variant: choice.variant,
    problem: { kernel: 'matmul', shape: { ...shape } },
    dispatches: plans.flatMap((plan) => plan.dispatches),
    temporaries: sharedTemporaries(plans),
    flops: 2 * batch * m * n * k,
    bytes: 4 * batch * (m * k + k * n + m * n),
  };
}

/** What one subproblem runs, and the bytes of the scratch buffers that it needs for that. */
interface SubproblemPlan {
  readonly dispatches: readonly Dispatch[];
  readonly temporaries: Readonly<Record<string, number>>;
}

/** The scratch buffers of plans that run one after the other and share them: the largest of each name. */
export function sharedTemporaries(plans: readonly Pick<Plan, 'temporaries'>[]): Record<string, number> {
  const bytes: Record<string, number> = {};
  for (const [name, size] of plans.flatMap(({ temporaries }) => Object.entries(temporaries)))
    bytes[name] = Math.max(bytes[name] ?? 0, size);
  return bytes;
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

function planSubproblem(
  subproblem: Subproblem,
  { choice, shape, epilogue, a, b, c }: Problem,
  target: KernelTarget,
): SubproblemPlan {
  const { transposeA = false, transposeB = false } = shape;
  const [batch, m, n, k] = [
    size(subproblem.batch),
    size(subproblem.m),
    size(subproblem.n),
    size(subproblem.k),
  ];
  const items = shape.batch ?? 1;
  const slices = [a, b, c].map((operand) => operandSlice(operand, subproblem, target, items));
  const [aSlice, bSlice, cSlice] = slices;
  if (!aSlice || !bSlice || !cSlice) throw new Error('three operands have three slices');
  const biasOperand: Operand = { name: 'bias', rows: 1, columns: shape.n, rowAxis: 'm', columnAxis: 'n' };
  const biasSlice = epilogue.bias
    ? operandSlice(biasOperand, { ...subproblem, batch: [0, 1], m: [0, 1] }, target, 1)
    : { binding: 'bias', offset: 0 };

  const last = subproblem.k[1] === shape.k;
  const epilogueFlags = {
    HAS_BIAS: epilogue.bias && last,
    RELU: epilogue.relu && last,
    ACCUMULATE: subproblem.k[0] > 0,
  };
  const biasOffset = biasSlice.offset;
  const cLayout = { cOffset: cSlice.offset, cStrideRow: shape.n, cStrideBatch: shape.m * shape.n };

  const outputs = batch * m * n;
  const affordable = Math.max(1, Math.floor(target.maxBindingBytes / (4 * outputs)));
  const wanted = Math.min(choice.splits, affordable);
  const kPerSplit = Math.ceil(k / wanted / SPLIT_MULTIPLE) * SPLIT_MULTIPLE;
  const splits = Math.ceil(k / kPerSplit);
  const direct = splits === 1;
  const result = direct
    ? { ...cLayout, cStrideSplit: 0 }
    : { cOffset: 0, cStrideRow: n, cStrideBatch: m * n, cStrideSplit: outputs };
  const product = {
    choice,
    ...{ m, n, k, batch, splits, kPerSplit },
    a: {
      ...{ name: 'a', binding: aSlice.binding, offset: aSlice.offset, row: a.columns },
      ...{ matrix: a.rows * a.columns, lines: m, kMajor: transposeA },
      vec4Aligned: isVec4Aligned(a, aSlice, subproblem),
    },
    b: {
      ...{ name: 'b', binding: bSlice.binding, offset: bSlice.offset, row: b.columns },
      ...{ matrix: b.rows * b.columns, lines: n, kMajor: !transposeB },
      vec4Aligned: isVec4Aligned(b, bSlice, subproblem),
    },
    c: { binding: direct ? cSlice.binding : 'partial', ...result },
    bias: { binding: biasSlice.binding, offset: biasOffset },
    epilogueFlags: direct ? epilogueFlags : { HAS_BIAS: false, RELU: false, ACCUMULATE: false },
  } as const;
  const { dispatches, temporaries } = productDispatches(product, target);
  if (direct) return { dispatches, temporaries };
  const combine: Dispatch = {
    shader: 'matmul/combine',
    constants: { WORKGROUP: COMBINE_WORKGROUP, ...epilogueFlags },
    uniforms: { m, n, batch, splits, ...cLayout, biasOffset },
    bindings: { partial: 'partial', bias: biasSlice.binding, c: cSlice.binding },
    grid: grid1d(outputs, COMBINE_WORKGROUP, target),
  };
  return {
    dispatches: [...dispatches, combine],
    temporaries: { ...temporaries, partial: 4 * splits * outputs },
  };
}

/** The dispatches that sum the products, by the chosen variant if it can. */
function productDispatches(product: Product, target: KernelTarget): SubproblemPlan {
  if (product.choice.variant === 'outer-product') {
    return (
      outerProductDispatches(product, target) ??
      productDispatches({ ...product, choice: { ...product.choice, ...INSTEAD_OF_OUTER_PRODUCT } }, target)
    );
  }
  const { choice, m, n, k, batch, splits, kPerSplit, a, b, c, bias, epilogueFlags } = product;
  const { binding, ...cLayout } = c;
  const tilesM = Math.ceil(m / choice.tileM);
  const tilesN = Math.ceil(n / choice.tileN);
  const groups = tilesM * tilesN * batch * splits;
  const dispatch: Dispatch = {
    shader: `matmul/${choice.variant}`,
    constants: productConstants(
      choice,
      {
        TRANSPOSE_A: a.kMajor,
        TRANSPOSE_B: !b.kMajor,
        VEC_A: a.vec4Aligned,
        VEC_B: b.vec4Aligned,
        WHOLE_K: k % tileK(choice) === 0,
        WHOLE_N: n % 4 === 0,
        ...epilogueFlags,
      },
      choice.variant === 'subgroup-matrix'
        ? fragmentTileConstants({ ...choice, element: choice.element ?? 'f32' }, target)
        : undefined,
    ),
    uniforms: {
      ...{ m, n, k, batch, tilesM, tilesN, kPerSplit, groups },
      ...{ aOffset: a.offset, aStrideRow: a.row, aStrideBatch: a.matrix },
      ...{ bOffset: b.offset, bStrideRow: b.row, bStrideBatch: b.matrix },
      ...cLayout,
      biasOffset: bias.offset,
    },
    bindings: {
      a: a.binding,
      b: b.binding,
      ...(choice.variant === 'naive' ? {} : { a4: a.binding, b4: b.binding }),
      bias: bias.binding,
      c: binding,
    },
    grid: grid1d(groups, 1, target),
  };
  return { dispatches: [dispatch], temporaries: {} };
}

/** Whether every row of an operand's part of a subproblem is a whole number of vec4f at multiples of 16 bytes. */
function isVec4Aligned(operand: Operand, slice: OperandSlice, subproblem: Subproblem): boolean {
  return (
    operand.columns % 4 === 0 && slice.offset % 4 === 0 && size(subproblem[operand.columnAxis]) % 4 === 0
  );
}

interface Flags {
  readonly TRANSPOSE_A: boolean;
  readonly TRANSPOSE_B: boolean;
  readonly VEC_A: boolean;
  readonly VEC_B: boolean;
  readonly WHOLE_K: boolean;
  readonly WHOLE_N: boolean;
  readonly HAS_BIAS: boolean;
  readonly RELU: boolean;
  readonly ACCUMULATE: boolean;
}

/** How many steps of k a variant takes at once; the rest of a sum, where there is one, is taken with care. */
function tileK({ variant, tileM, tileN }: Pick<MatmulChoice, 'variant' | 'tileM' | 'tileN'>): number {
  if (variant === 'subgroup-matrix') return SPLIT_MULTIPLE;
  return variant === 'tiled' && tileM < 128 && tileN < 128 ? 16 : variant === 'tiled' ? 8 : 4;
}

/** Each variant gets the constants that it knows. */
function productConstants(
  choice: Pick<MatmulChoice, 'variant' | 'tileM' | 'tileN' | 'rows'>,
  flags: Flags,
  fragments?: Record<string, ShaderConstant>,
): Record<string, ShaderConstant> {
  const { variant, rows, tileN } = choice;
  if (variant === 'naive') {
    const { TRANSPOSE_A, TRANSPOSE_B, HAS_BIAS, RELU, ACCUMULATE } = flags;
    return { TRANSPOSE_A, TRANSPOSE_B, HAS_BIAS, RELU, ACCUMULATE };
  }
  if (variant === 'register') return { ...flags };
  if (variant === 'subgroup-matrix') return { ...flags, ...fragments };
  if (variant === 'subgroup') return { ...flags, ROWS: rows, LANES: tileN / 4 };
  return { ...flags, ROWS: rows, COLS: tileN / 64, K_VEC4: tileK(choice) / 4 };
}

/** Every shader of this folder with sets of constants that between them reach every line. */
export function variants(): { shader: ShaderName; constants: Record<string, ShaderConstant> }[] {
  const flags = [false, true];
  const operands = flags.flatMap((TRANSPOSE_A) =>
    flags.flatMap((TRANSPOSE_B) =>
      flags.map((whole) => ({
        TRANSPOSE_A,
        TRANSPOSE_B,
        VEC_A: whole,
        VEC_B: whole,
        WHOLE_K: whole,
        WHOLE_N: whole,
        HAS_BIAS: !whole,
        RELU: whole,
        ACCUMULATE: !whole,
      })),
    ),
  );
  const choices = [
    { variant: 'naive', tileM: 8, tileN: 8, rows: 1 },
    { variant: 'register', tileM: 8, tileN: 32, rows: 8 },
    ...subgroupTiles.map(([rows, tileN]) => ({ variant: 'subgroup', tileM: rows, tileN, rows }) as const),
    ...sharedMemoryTiles.map(
      ([tileM, tileN]) => ({ variant: 'tiled', tileM, tileN, rows: tileM / 16 }) as const,
    ),
  ] as const;
  return [
    ...flags.map((flag) => ({
      shader: 'matmul/combine' as const,
      constants: { WORKGROUP: COMBINE_WORKGROUP, HAS_BIAS: flag, RELU: flag, ACCUMULATE: flag },
    })),
    ...outerProductVariants(outerProductTiles),
    ...fragmentVariants().flatMap((fragments) =>
      operands.map((constants) => ({
        shader: 'matmul/subgroup-matrix' as const,
        constants: { ...constants, ...fragments },
      })),
    ),
    ...choices.flatMap((choice) =>
      operands.map((constants) => ({
        shader: `matmul/${choice.variant}` as const,
        constants: productConstants(choice, constants),
      })),
    ),
  ];
}
