import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '../device/gpu.ts';
import { tunables } from '../kernels/tunables.ts';
import { randomInputs, sampledError } from './check.ts';
import { median } from './median.ts';
import { ProblemBuffers } from './problem-buffers.ts';
import { HOPELESS, Runner } from './runner.ts';
import { problemKey, sameChoice, untuned, type Problem, type TunedChoice } from './table.ts';

/** What became of one candidate. */
export interface CandidateResult {
  readonly choice: TunedChoice;
  /** Median of its times; null where it was given up. */
  readonly milliseconds: number | null;
  /** Largest difference from the reference result, in parts of its root mean square. */
  readonly error: number | null;
  /** Why it may not win: it was wrong, much slower, or did not run. */
  readonly refused?: string;
}

/** What tuning found out about one problem. */
export interface TunedProblem {
  readonly problem: Problem;
  readonly key: string;
  /** Arithmetic of the problem. */
  readonly flops: number;
  /** What the rules say, and its time. */
  readonly rule: TunedChoice;
  readonly ruleMilliseconds: number;
  /** The fastest one that is right: the rules' own where nothing is faster by `LEAST_GAIN`. */
  readonly best: TunedChoice;
  readonly bestMilliseconds: number;
  readonly candidates: readonly CandidateResult[];
}

export interface TuneOptions {
  /** How often each candidate is timed, in turn with the others; the median counts. Default 5. */
  readonly rounds?: number;
  readonly signal?: AbortSignal;
}

/** A candidate has to be faster than the rules by this share of their time: less is noise. */
const LEAST_GAIN = 0.05;

/**
 * Times every candidate for a problem on a GPU.
 *
 * The rules' own choice runs first and is the reference: elements spread over its result must agree with float64. Every
 * other candidate must agree with all of that result before it is timed; then all run in turn, round by round, so that
 * what else the machine does hits all of them. Open the GPU with `profile: 'events'` for times by the device's own
 * clock.
 *
 * @throws ConvbaseError `tune/unknown` for a kernel that has nothing to choose, `tune/wrong` where the rules' own choice
 * computes something wrong on this adapter
 */
export async function tuneProblem(
  gpu: Gpu,
  problem: Problem,
  options: TuneOptions = {},
): Promise<TunedProblem> {
  const { kernel, shape } = problem;
  const tunable = Object.hasOwn(tunables, kernel) ? tunables[kernel] : undefined;
  if (!tunable) {
    throw new ConvbaseError('tune/unknown', `there is nothing to choose for '${kernel}'`, {
      fix: `Tune one of ${Object.keys(tunables).join(', ')}.`,
    });
  }
  const key = problemKey(kernel, shape);
  const target = untuned(gpu.target);
  const rule = tunable.choose(shape, target);
  const others = tunable.candidates(shape, target).filter((choice) => !sameChoice(choice, rule));
  const inputs = randomInputs(tunable, shape);
  const buffers = new ProblemBuffers(gpu, tunable, shape, inputs);
  const runners: Runner[] = [];
  try {
    const first = new Runner(gpu, buffers, rule, tunable.plans(shape, rule, target));
    runners.push(first);
    const reference = await first.result();
    const sampled = sampledError(tunable, shape, inputs, reference);
    if (!(sampled <= tunable.tolerance(shape, rule))) {
      throw new ConvbaseError('tune/wrong', `${describeChoice(rule)} is off by ${String(sampled)}`, {
        where: `${key} on ${gpu.adapter.name}`,
        fix: 'Run `convbase verify`: this adapter or its driver computes something wrong.',
      });
    }
    first.error = sampled;
    await first.time();
    let fastest = first.least;
    for (const choice of others) {
      options.signal?.throwIfAborted();
      const runner = new Runner(gpu, buffers, choice, tunable.plans(shape, choice, target));
      runners.push(runner);
      // A CPU has few cores to keep busy: other splits of a slow kernel are slow too, and take seconds to compile.
      if (target.kind === 'software' && runners.some((other) => other.isHopelessSiblingOf(runner, fastest))) {
        runner.refused = `more than ${String(HOPELESS)} times slower, as with other splits`;
        continue;
      }
      await runner.tryOut(
        reference,
        tunable.tolerance(shape, choice) + tunable.tolerance(shape, rule),
        fastest,
      );
      fastest = Math.min(fastest, runner.least);
    }
    await race(runners, fastest, options);
    return { problem, key, flops: first.plans.each.flops, ...verdict(first, runners) };
  } finally {
    for (const runner of runners) runner.release();
    buffers.release();
    gpu.trim();
  }
}

/** Times all that are still in, in turn. */
async function race(runners: readonly Runner[], fastest: number, options: TuneOptions): Promise<void> {
  const { rounds = 5, signal } = options;
  // The rules' own always runs: it is what a gain is measured by.
  const racing = runners.filter(
    (runner, i) => i === 0 || (runner.refused === undefined && !runner.isHopeless(fastest)),
  );
  for (const runner of runners) {
    if (!racing.includes(runner)) runner.refused ??= `more than ${String(HOPELESS)} times slower`;
  }
  for (const runner of racing) runner.forgetTimes();
  for (let round = 0; round < rounds; round++) {
    for (const runner of racing) {
      signal?.throwIfAborted();
      await runner.time();
    }
  }
}

function verdict(first: Runner, runners: readonly Runner[]): Omit<TunedProblem, 'problem' | 'key' | 'flops'> {
  const ruleMilliseconds = first.median();
  let [best, bestMilliseconds] = [first, ruleMilliseconds];
  for (const runner of runners) {
    if (runner.refused !== undefined || runner === first) continue;
    const time = runner.median();
    // Faster in the middle and at its best: one of the two alone may be chance.
    const gains = time < (1 - LEAST_GAIN) * ruleMilliseconds && runner.least < first.least;
    if (gains && time < bestMilliseconds) [best, bestMilliseconds] = [runner, time];
  }
  return {
    rule: asJson(first.choice),
    ruleMilliseconds,
    best: asJson(best.choice),
    bestMilliseconds,
    candidates: runners.map(({ choice, error, refused, times }) => ({
      choice: asJson(choice),
      milliseconds: refused === undefined ? median(times) : null,
      error,
      ...(refused === undefined ? {} : { refused }),
    })),
  };
}

/** `tile rows=8`: a choice in few words. */
export function describeChoice(choice: object): string {
  return Object.entries(choice)
    .map(([name, value]) => (name === 'variant' ? String(value) : `${name}=${String(value)}`))
    .join(' ');
}

function asJson(choice: object): TunedChoice {
  return Object.fromEntries(Object.entries(choice) as [string, string | number | boolean][]);
}
