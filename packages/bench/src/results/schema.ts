import { ConvbaseError, parseJson } from '@convbase/base';
import { readBounded } from '@convbase/base/node';
import { z } from 'zod';

/** Results of all cases are some hundred kB. */
const MAX_BYTES = 2 ** 26;

/** The first line of every file of results: a later version of convbase may write others. */
export const FORMAT = 'convbase-bench-1';

const number = z.number().nullable();

/** One contender at one case. */
const rowSchema = z.object({
  case: z.string(),
  title: z.string(),
  group: z.string(),
  contender: z.string(),
  /** As tables call this side: the contender's title, or what it did differently. */
  label: z.string(),
  /** Pictures, or rows of features, of one run. */
  pictures: z.number(),
  /** Median over the runs; null where there is no right result, with `error`. */
  medianMs: number,
  /** By the nearest rank: the largest of fewer than 20 runs. */
  p95Ms: number,
  minMs: number,
  maxMs: number,
  /** Median processor time of a run, over all threads of the process. */
  cpuMs: number,
  runs: z.number(),
  /** TensorFlow.js' median on its WebGPU backend in this run, divided by this one: how many times as fast. */
  ratioToTfjsWebgpu: number,
  /** What the adapter's own rates of multiply-adds and of copying leave to the case at the least. */
  limitMs: number,
  /** limitMs / medianMs, for contenders on that adapter. */
  shareOfLimit: number,
  /** Null where there was nothing to compare the result with. */
  correct: z.boolean().nullable(),
  /** Relative L2 difference from the reference. */
  difference: number,
  reference: z.string().optional(),
  adapter: z.string(),
  adapterKind: z.enum(['gpu', 'software', 'cpu', 'unknown']),
  peakResidentMiB: number,
  peakGpuMiB: number,
  error: z.string().optional(),
  /** The contender has no way to do this, by its own word. */
  unsupported: z.boolean().optional(),
});

/** A figure from elsewhere, shown beside the rows of its case and never used in a ratio. */
const figureSchema = z.object({
  case: z.string(),
  contender: z.string(),
  medianMs: z.number().positive(),
  /** On which machine, with how many threads. */
  adapter: z.string(),
  note: z.string().optional(),
});

/** The versions of one kernel on one problem, from the naive one on; nothing but a name where a result is wrong. */
const ladderSchema = z.object({
  kernel: z.string(),
  problem: z.string(),
  rungs: z.array(
    z.object({
      rung: z.string(),
      milliseconds: number,
      gigaflops: number,
      /** How many times as fast as the first. */
      speedup: number,
      /** Relative L2 distance from the first one's result. */
      difference: number,
    }),
  ),
});

const resultsSchema = z.object({
  format: z.literal(FORMAT),
  date: z.string(),
  set: z.string(),
  versions: z.record(z.string(), z.string()),
  machine: z.object({
    system: z.string(),
    processor: z.string(),
    cores: z.number(),
    memoryGiB: z.number(),
  }),
  adapter: z.object({
    name: z.string(),
    kind: z.enum(['gpu', 'software', 'null']),
    features: z.array(z.string()),
    limits: z.record(z.string(), z.number()),
    roofline: z.object({ gigaflops: z.number(), gigabytes: z.number() }),
  }),
  /** Environment variables that change what convbase does. */
  toggles: z.record(z.string(), z.string()),
  tolerances: z.record(z.string(), z.number()),
  /** Contenders that did not take part at all, and why. */
  missing: z.array(z.object({ contender: z.string(), why: z.string() })),
  rows: list(rowSchema),
  figures: list(figureSchema),
  ladders: list(ladderSchema).optional(),
});

const figuresFileSchema = z.object({ figures: list(figureSchema) });

/** What a run of the benchmarks found. */
export type Results = z.infer<typeof resultsSchema>;
export type Row = z.infer<typeof rowSchema>;
export type LadderResult = z.infer<typeof ladderSchema>;
export type Figure = z.infer<typeof figureSchema>;

/** What a file should be, and what to do where it is not. */
interface Wanted {
  readonly what: string;
  readonly fix: string;
}

/** Reads results. Throws `bench/results`, naming the file, for anything else, and the codes of `fileError`. */
export function readResults(path: string): Promise<Results> {
  return readJson(path, resultsSchema, {
    what: 'results of `convbase bench`',
    fix: 'Give a latest.json that `convbase bench` wrote: it lies in bench-results/, or the folder of --out.',
  });
}

/**
 * Reads figures measured elsewhere:
 * `{ "figures": [{ "case": "forward/vgg16/150/4", "contender": "Keras", "medianMs": 264, "adapter": "2 cores" }] }`.
 * Throws `bench/results` for anything else, and the codes of `fileError`.
 */
export async function readFigures(path: string): Promise<Figure[]> {
  const { figures } = await readJson(path, figuresFileSchema, {
    what: 'a file of figures',
    fix: 'It has to be { "figures": [{ "case": …, "contender": …, "medianMs": …, "adapter": … }, …] }.',
  });
  return figures;
}

async function readJson<T>(path: string, schema: z.ZodType<T>, { what, fix }: Wanted): Promise<T> {
  const text = (await readBounded(path, MAX_BYTES, `${what} cannot be read`)).toString();
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new ConvbaseError('bench/results', 'the file is not JSON', { where: path, fix, cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.join('.') ?? '';
  throw new ConvbaseError('bench/results', `these are not ${what}: ${place} ${issue?.message ?? ''}`, {
    where: path,
    fix,
  });
}

/** An array that is read up to its first wrong entry: only that is told, and a file may have a million. */
function list<T extends z.ZodType>(entry: T): z.ZodType<z.output<T>[]> {
  return z.array(z.unknown()).transform((values, context) => {
    const entries: z.output<T>[] = [];
    for (const [i, value] of values.entries()) {
      const parsed = entry.safeParse(value);
      if (!parsed.success) {
        for (const issue of parsed.error.issues) {
          context.addIssue({ code: 'custom', message: issue.message, path: [i, ...issue.path] });
        }
        return z.NEVER;
      }
      entries.push(parsed.data);
    }
    return entries;
  });
}
