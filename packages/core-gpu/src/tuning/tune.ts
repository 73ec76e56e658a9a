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
  /** How often each candidate is timed, in turn with the others; the last two twice as often again. Default 5. */
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
 * what else the machine does hits all of them, and the fastest once more in turn with the rules' own. Open the GPU with
 * `profile: 'events'` for times by the device's own clock.
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
    const best = await decide(first, runners, fastest, options);
    return { problem, key, flops: first.plans.each.flops, ...verdict(first, best, runners) };
  } finally {
    for (const runner of runners) runner.release();
    buffers.release();
    gpu.trim();
  }
}

/** The winner: the rules' own choice, which is the first, unless another is faster beyond chance. */
async function decide(
  first: Runner,
  runners: readonly Runner[],
  fastest: number,
  { rounds = 5, signal }: TuneOptions,
): Promise<Runner> {
  // The rules' own always runs: it is what a gain is measured by.
  const racing = runners.filter(
    (runner) => runner === first || (runner.refused === undefined && !runner.isHopeless(fastest)),
  );
  for (const runner of runners) {
    if (!racing.includes(runner)) runner.refused ??= `more than ${String(HOPELESS)} times slower`;
  }
  await race(racing, rounds, signal);
  const winner = fastestOf(first, racing);
  if (winner === first) return first;
  // The fastest of many may have been lucky: it has to win once more, against the rules alone.
  await race([first, winner], 2 * rounds, signal);
  return fastestOf(first, [winner]);
}

/** Times some in turn, round by round. What they took before was warming up. */
async function race(runners: readonly Runner[], rounds: number, signal?: AbortSignal): Promise<void> {
  for (const runner of runners) runner.forgetTimes();
  for (let round = 0; round < rounds; round++) {
    for (const runner of runners) {
      signal?.throwIfAborted();
      await runner.time();
    }
  }
}

/** The fastest of those that are faster than the first in the middle and at their best: one alone may be chance. */
function fastestOf(first: Runner, runners: readonly Runner[]): Runner {
  const enough = 1 - LEAST_GAIN;
  const faster = runners.filter(
    (runner) => runner.median() < enough * first.median() && runner.least < enough * first.least,
  );
  return faster.reduce((best, runner) => (runner.median() < best.median() ? runner : best), first);
}

function verdict(
  first: Runner,
  best: Runner,
  runners: readonly Runner[],
): Omit<TunedProblem, 'problem' | 'key' | 'flops'> {
  return {
    rule: asJson(first.choice),
    ruleMilliseconds: first.median(),
    best: asJson(best.choice),
    bestMilliseconds: best.median(),
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
