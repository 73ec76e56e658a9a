import { visibleJson, visibleLine } from '@convbase/base';
import type { GoldenFile } from './golden-file.ts';
import { goldenTensor } from './golden-file.ts';

/**
 * How far a tensor may be from its expected value, as |actual - expected| / |expected| in the L2 norm.
 *
 * float32 carries 24 bits (6e-8); an operation sums up to some thousand products, a training run of six steps stays
 * below 1e-5 in values, while in what a weight *moved* the common part cancels and two or three digits go. A full
 * network is a hundred such operations, fine-tuning it a few steps of them.
 */
export const tolerances = {
  operation: 1e-5,
  after: 1e-5,
  moved: 1e-3,
  features: 1e-4,
  finetune: 1e-4,
  finetuneDelta: 1e-2,
  /** For what must not change at all: compared bit by bit. */
  frozen: 0,
} as const;

/**
 * The same for models in mixed precision.
 *
 * Rounding to float16 is off by at most 2^-11 and by 2e-4 in the mean. Each layer rounds its weights and its result, and
 * these errors add up as squares do: 7e-4 for VGG16's 13 convolutions, which is what was measured, and 2e-3 for the 50
 * or so behind one another in InceptionV3, whose normalisations by small variances enlarge them to 7e-3. A gradient goes
 * through twice as many layers and is a small difference of large sums: two digits of what weights move by are left, at
 * worst one.
 *
 * The small models that ship are trained far and fast: float32 runs that begin with kernels and pictures rounded to
 * float16, and round nothing afterwards, move by up to 16 % elsewhere (conv2d_5 of mini_inception with SGD; 7 % in
 * mini_vgg), those in mixed precision by up to 19 %. `moved` is twice the former. A bias that began at 0 is what it moved
 * by, so `after` is the same. A gradient that is wrong is off by all of itself, and the losses have the limit of values.
 */
export const mixedTolerances = {
  operation: 1e-2,
  after: 3e-1,
  moved: 3e-1,
  features: 1e-2,
  finetune: 1e-2,
  finetuneDelta: 1e-1,
  frozen: 0,
} as const;

/** A computed tensor. */
export interface ComputedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** What any float32 computation of it rounds away, as an L2 norm: see `storageRounding`. None by default. */
  readonly rounding?: number;
}

/** An output that a case was to compute. */
export interface Expectation {
  /** Its full name in the file. */
  readonly tensor: string;
  readonly tolerance: number;
}

/** The verdict on a case. */
export interface CaseResult {
  /** `<file>/<case>` */
  readonly name: string;
  /** Relative L2 error of every expected output by its full name; NaN where it was not computed or is not finite. */
  readonly relativeError: Readonly<Record<string, number>>;
  /** How far each may be off; 0 stands for equal bits. */
  readonly tolerance: Readonly<Record<string, number>>;
  /** The tensors that are further off than that. */
  readonly failed: readonly string[];
  readonly pass: boolean;
  /** Why the case could not be computed. */
  readonly error?: string;
}

/** Compares everything a case was to compute; what is missing from `computed` counts as NaN. */
export function judge(
  name: string,
  file: GoldenFile,
  expected: readonly Expectation[],
  computed: ReadonlyMap<string, ComputedTensor>,
  error?: string,
): CaseResult {
  const relativeErrors: [string, number][] = [];
  const allowed: [string, number][] = [];
  const failed: string[] = [];
  for (const { tensor, tolerance } of expected) {
    const actual = computed.get(tensor);
    const golden = goldenTensor(file, tensor);
    const sameSize = actual?.data.length === golden.data.length;
    const distance = sameSize ? relativeError(actual.data, golden.data) : Number.NaN;
    const limit = tolerance + roundingOf(actual, golden.data);
    relativeErrors.push([tensor, distance]);
    allowed.push([tensor, limit]);
    // NaN is never close, not even to the same NaN.
    const equal = tolerance !== tolerances.frozen || (sameSize && sameBits(actual.data, golden.data));
    if (!(distance <= limit && equal)) failed.push(tensor);
  }
  return {
    name,
    relativeError: Object.fromEntries(relativeErrors),
    tolerance: Object.fromEntries(allowed),
    failed,
    pass: error === undefined && failed.length === 0,
    ...(error === undefined ? {} : { error }),
  };
}

/** |actual - expected| / |expected| in the L2 norm; against nothing but zeros, the norm of what is there instead. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    const e = expected[i] ?? Number.NaN;
    const d = (actual[i] ?? Number.NaN) - e;
    difference += d * d;
    norm += e * e;
  }
  return norm === 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
}

/**
 * How much of a weight's movement float32 weights cannot hold, whoever computes it: each step rounds the weight to a
 * multiple of its unit in the last place, which is off by ulp / sqrt(12) in the mean, and independent steps add up as
 * squares do. As an L2 norm over the weights.
 *
 * It matters where a weight is large and hardly moves: the biases of VGG19's block5 (0.5) move by 1e-6 in the five
 * steps of its golden file. Keras in float32 is off there by 1.4 % as well.
 */
export function storageRounding(weights: Float32Array, steps: number): number {
  const squares = weights.reduce((sum, weight) => sum + unitInLastPlace(weight) ** 2, 0);
  return Math.sqrt((steps / 12) * squares);
}

/** The distance between float32 numbers of that size. */
function unitInLastPlace(value: number): number {
  const size = Math.abs(value);
  return size < 2 ** -126 ? 2 ** -149 : 2 ** (Math.floor(Math.log2(size)) - 23);
}

function roundingOf(actual: ComputedTensor | undefined, expected: Float32Array): number {
  if (actual?.rounding === undefined) return 0;
  const norm = Math.sqrt(expected.reduce((sum, value) => sum + value * value, 0));
  return norm > 0 ? actual.rounding / norm : 0;
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const bits = (values: Float32Array): Uint32Array =>
    new Uint32Array(values.buffer, values.byteOffset, values.length);
  const other = bits(b);
  return bits(a).every((word, i) => word === other[i]);
}

/** A result as one line of JSON; what JSON has no number for is written as text, `"NaN"`. */
export function caseLine({ name, relativeError: errors, pass, error }: CaseResult): string {
  const printable = Object.entries(errors).map(
    ([tensor, value]) => [tensor, Number.isFinite(value) ? value : String(value)] as const,
  );
  return visibleJson({
    name,
    relativeError: Object.fromEntries(printable),
    pass,
    ...(error === undefined ? {} : { error }),
  });
}

/** A result for people: one line for the case, and one for each tensor with its error. */
export function caseText({
  name,
  relativeError: errors,
  tolerance,
  failed,
  pass,
  error,
}: CaseResult): string {
  const lines = Object.entries(errors).map(([tensor, value]) => {
    const allowed = tolerance[tensor] ?? 0;
    const limit =
      allowed === tolerances.frozen ? 'not the same bits' : `more than ${allowed.toExponential(0)}`;
    const verdict = failed.includes(tensor) ? limit : 'ok';
    return `  ${visibleLine(tensor).padEnd(44)} ${Number.isFinite(value) ? value.toExponential(1) : String(value)}  ${verdict}`;
  });
  return [
    `${pass ? 'pass' : 'FAIL'} ${visibleLine(name)}`,
    ...(error === undefined ? [] : error.split('\n').map((line) => `  ${visibleLine(line)}`)),
    ...lines,
  ].join('\n');
}
