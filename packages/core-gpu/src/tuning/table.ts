/**
 * One problem that a kernel can do in several ways: which kernel, and the plain numbers of its shape. A plan whose
 * variant was chosen carries it (`Plan.problem`), so that a tuner can find out what a model runs by running it.
 */
export interface Problem {
  /** Name of the `Tunable` whose candidates these are: `'conv2d forward'`. */
  readonly kernel: string;
  /** All that `choose` looks at besides the target. */
  readonly shape: ProblemShape;
}

/** The numbers of a problem: `{ ...conv2dShape }`, `{ ...matmulShape }`. Fields that are undefined do not count. */
export type ProblemShape = Readonly<Record<string, number | boolean | undefined>>;

/** A choice as plain JSON: what a `choose` function returns, field by field. */
export type TunedChoice = Readonly<Record<string, string | number | boolean>>;

/**
 * What measurement on one adapter found to be the fastest choice, by `problemKey`. Plain JSON: it lies in the cache
 * between runs, see `tuning/README.md`.
 */
export type TunedTable = Readonly<Record<string, TunedChoice>>;

/** The key of a problem in a tuned table: `'matmul k=8192,m=20,n=256'`. Fields are sorted; false and undefined left out. */
export function problemKey(kernel: string, shape: object): string {
  const fields = Object.entries(shape)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => `${name}=${String(value)}`);
  return `${kernel} ${fields.sort().join()}`;
}

/**
 * What the table of a target says about a problem, or undefined: then `choose` decides by its own rules.
 *
 * A table comes from a file, perhaps of another version, so a choice counts only if it is one of the candidates that
 * the kernel would take for this shape on this target today.
 */
export function tunedChoice<Choice extends object>(
  target: { readonly tuned?: TunedTable },
  kernel: string,
  shape: object,
  candidates: () => readonly Choice[],
): Choice | undefined {
  const { tuned } = target;
  if (tuned === undefined) return undefined;
  const key = problemKey(kernel, shape);
  const wanted = Object.hasOwn(tuned, key) ? tuned[key] : undefined;
  if (wanted === undefined) return undefined;
  return candidates().find((candidate) => sameChoice(candidate, wanted));
}

/** The same target without a table: `choose` by the rules alone. */
export function untuned<Target extends { readonly tuned?: TunedTable }>(
  target: Target,
): Omit<Target, 'tuned'> {
  const { tuned, ...rest } = target;
  return tuned === undefined ? target : rest;
}

/** Whether two choices have the same fields with the same values. */
export function sameChoice(a: object, b: object): boolean {
  const [fieldsOfA, fieldsOfB] = [Object.entries(a), Object.entries(b)];
  const inB = new Map<string, unknown>(fieldsOfB);
  return (
    fieldsOfA.length === fieldsOfB.length &&
    fieldsOfA.every(([name, value]) => inB.has(name) && inB.get(name) === value)
  );
}
