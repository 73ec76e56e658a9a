import type { Binding, Dispatch, KernelTarget, ShaderConstant } from '../../commands/plan.ts';
import { grid1d } from '../grid.ts';
import type { MatmulChoice } from './shape.ts';

const PACK_WORKGROUP = 64;

/** The end of a panel where every panel is whole. */
const NO_LAST = 2 ** 31;

/** A batch of row-major matrices, of which one axis is k and the other, the lines, is m or n. */
interface Factor {
  readonly name: string;
  readonly binding: Binding;
  readonly offset: number;
  /** Rows and matrices of the batch, in floats from one to the next. */
  readonly row: number;
  readonly matrix: number;
  readonly lines: number;
  /** Rows lie along k: [k, lines], else [lines, k]. */
  readonly kMajor: boolean;
  /** Rows can be read as vec4f: their length, their distance and the offset are multiples of 4. */
  readonly vec4Aligned: boolean;
}

/** A product to run: sizes, where its operands and its result lie, what is done to the sums at the end. */
export interface Product {
  readonly choice: MatmulChoice;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: number;
  readonly splits: number;
  readonly kPerSplit: number;
  readonly a: Factor;
  readonly b: Factor;
  readonly c: {
    readonly binding: Binding;
    readonly cOffset: number;
    readonly cStrideRow: number;
    readonly cStrideBatch: number;
    readonly cStrideSplit: number;
  };
  readonly bias: { readonly binding: Binding; readonly offset: number };
  readonly epilogueFlags: {
    readonly HAS_BIAS: boolean;
    readonly RELU: boolean;
    readonly ACCUMULATE: boolean;
  };
}

/**
 * The dispatches of a product by outer-product.wgsl: operands that do not lie in the order of k, or not aligned to vec4, are packed
 * into panels first. Nothing where it cannot be done: c is not aligned to vec4, or a packed operand is larger than a binding.
 */
export function outerProductDispatches(
  product: Product,
  target: KernelTarget,
): { dispatches: Dispatch[]; temporaries: Record<string, number> } | undefined {
  const { choice, m, n, k, batch, splits, kPerSplit, c, bias, epilogueFlags } = product;
  const { cOffset, cStrideRow, cStrideBatch, cStrideSplit } = c;
  const cAligned = [n, cOffset, cStrideRow, cStrideBatch, cStrideSplit, bias.offset].every(
    (count) => count % 4 === 0,
  );
  if (!cAligned) return undefined;
  const a = panels(product.a, choice.tileM, product, target);
  const b = panels(product.b, choice.tileN, product, target);
  const packed = { ...a.temporaries, ...b.temporaries };
  if (Object.values(packed).some((bytes) => bytes > target.maxBindingBytes)) return undefined;
  const tilesM = Math.ceil(m / choice.tileM);
  const tilesN = Math.ceil(n / choice.tileN);
  const groups = tilesM * tilesN * batch * splits;
  const multiply: Dispatch = {
    shader: 'matmul/outer-product',
    constants: {
      ROWS: choice.tileM,
      COLS: choice.tileN / 32,
      EVEN_K: k % 2 === 0 && (splits === 1 || kPerSplit % 2 === 0),
      ...epilogueFlags,
    },
    uniforms: {
      m,
      n,
      k,
      batch,
      tilesM,
      tilesN,
      kPerSplit,
      groups,
      tileRows: choice.tileM,
      aOffset: a.offset,
      aStrideRow: a.row,
      aStrideBatch: a.matrix,
      aStridePanel: a.panel,
      aLastStart: a.last,
      bOffset: b.offset,
      bStrideRow: b.row,
      bStrideBatch: b.matrix,
      bStridePanel: b.panel,
      bLastStart: b.last,
      cOffset,
      cStrideRow,
      cStrideBatch,
      cStrideSplit,
      biasOffset: bias.offset,
    },
    bindings: { a: a.binding, b: b.binding, bias: bias.binding, c: c.binding },
    grid: grid1d(groups, 1, target),
  };
  return { dispatches: [...a.dispatches, ...b.dispatches, multiply], temporaries: packed };
}

/** Where outer-product.wgsl finds the panels of an operand, and what has to be done for that. */
interface Panels {
  readonly binding: Binding;
  readonly offset: number;
  readonly row: number;
  readonly matrix: number;
  readonly panel: number;
  readonly last: number;
  readonly dispatches: Dispatch[];
  readonly temporaries: Record<string, number>;
}

function panels(
  factor: Factor,
  width: number,
  { k, batch }: { readonly k: number; readonly batch: number },
  target: KernelTarget,
): Panels {
  const { binding, offset, row, matrix, lines, kMajor, vec4Aligned } = factor;
  if (kMajor && vec4Aligned)
    return { binding, offset, row, matrix, panel: width, last: lines - 4, dispatches: [], temporaries: {} };
  const name = `packed ${factor.name}`;
  const count = Math.ceil(lines / width);
  const threads = batch * count * (width / 4) * Math.ceil(k / 4);
  const pack: Dispatch = {
    shader: 'matmul/pack',
    constants: { WORKGROUP: PACK_WORKGROUP, WIDTH: width, K_MAJOR: kMajor, VEC: vec4Aligned },
    uniforms: {
      lines,
      k,
      panels: count,
      threads,
      sourceOffset: offset,
      sourceStrideRow: row,
      sourceStrideBatch: matrix,
    },
    bindings: { source: binding, source4: binding, packed: name },
    grid: grid1d(threads, PACK_WORKGROUP, target),
  };
  return {
    binding: name,
    offset: 0,
    row: width,
    matrix: count * k * width,
    panel: k * width,
    last: NO_LAST,
    dispatches: [pack],
    temporaries: { [name]: 4 * batch * count * k * width },
  };
}

/** Every set of constants that a plan may give outer-product.wgsl and pack.wgsl, given the tiles there are. */
export function outerProductVariants(
  tiles: readonly (readonly [rows: number, columns: number])[],
): { shader: 'matmul/outer-product' | 'matmul/pack'; constants: Record<string, ShaderConstant> }[] {
  const flags = [false, true];
  const widths = [...new Set(tiles.flat())];
  return [
    ...tiles.flatMap(([rows, columns]) =>
      flags.map((flag) => ({
        shader: 'matmul/outer-product' as const,
        constants: {
          ROWS: rows,
          COLS: columns / 32,
          EVEN_K: flag,
          HAS_BIAS: !flag,
          RELU: flag,
          ACCUMULATE: !flag,
        },
      })),
    ),
    ...widths.flatMap((width) =>
      flags.flatMap((K_MAJOR) =>
        flags.map((VEC) => ({
          shader: 'matmul/pack' as const,
          constants: { WORKGROUP: PACK_WORKGROUP, WIDTH: width, K_MAJOR, VEC },
        })),
      ),
    ),
  ];
}
