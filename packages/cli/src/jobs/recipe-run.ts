import { visibleLine } from '@convbase/base';
import { afterFailure, checkPlace, removeEmptyFolder } from '@convbase/base/node';
import { basename, join, resolve } from 'node:path';
import {
  describeInput,
  describeStages,
  runRecipe,
  type Recipe,
  type RecipeChanges,
  type RunObserver,
  type RunResult,
} from '@convbase/training';
import { Option, type Command } from 'commander';
import type { Invocation } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import {
  numberBetween,
  wholeNumber,
  withPrecision,
  type CommonOptions,
  type PrecisionFlag,
} from '../terminal/options.ts';
import { printResult, sayLine } from '../terminal/print.ts';
import { createProgress, duration } from '../terminal/progress.ts';
import { trainingProgress, type TrainingProgress } from '../terminal/training-progress.ts';

/** How any recipe is run, as the command line says it. */
export interface RunFlags extends CommonOptions, PrecisionFlag {
  readonly out?: string;
  readonly resume?: true;
  readonly fraction?: number;
  readonly testFraction?: number;
  readonly seed?: number;
  readonly onBadImage?: 'refuse' | 'skip';
  readonly checkpointSeconds: number;
}

/** Adds the options that say how any recipe is run. */
export function withRunOptions(command: Command): Command {
  return withPrecision(command)
    .option('--out <run>', 'folder for checkpoints, logs, the classifier and the report; default runs/NAME')
    .option('--resume', 'go on with the run in that folder, as if it had not stopped')
    .option('--fraction <f>', 'only the first part of each class to train and validate with', share)
    .option('--test-fraction <f>', 'the same of the pictures to test with', share)
    .addOption(
      new Option(
        '--on-bad-image <what>',
        'what to do with pictures that cannot be read; default refuse',
      ).choices(['refuse', 'skip']),
    )
    .option('--seed <n>', 'the same seed gives the same run on one adapter; default 0', wholeNumber(0))
    .option(
      '--checkpoint-seconds <n>',
      'how much training a crash may cost within an epoch',
      numberBetween(0, Infinity, true),
      60,
    );
}

/** What these options change about a recipe. */
export function changesOf(flags: RunFlags): RecipeChanges {
  const { fraction, testFraction, seed, onBadImage, precision } = flags;
  return {
    ...(fraction === undefined ? {} : { fraction }),
    ...(testFraction === undefined ? {} : { testFraction }),
    ...(seed === undefined ? {} : { seed }),
    ...(onBadImage === undefined ? {} : { onBadImage }),
    ...(precision === undefined ? {} : { precision }),
  };
}

/** Above 0, up to 1. */
export const share = (text: string): number => (Number(text) === 1 ? 1 : numberBetween(0, 1)(text));

/** A step in training may take half a minute on a slow adapter, and only after it can a checkpoint be saved. */
const GRACE_MS = 10 * 60_000;

/** Runs a recipe with progress on stderr, and prints what comes out. After Ctrl-C a checkpoint and a report are in the folder. */
export async function executeRecipe(
  recipe: Recipe,
  name: string,
  data: string,
  flags: RunFlags,
  invocation: Invocation,
): Promise<void> {
  const out = flags.out ?? join('runs', basename(name).replace(/\.ya?ml$/, ''));
  const { signal } = invocation;
  invocation.graceMs = GRACE_MS;
  await checkPlace(out);
  await usingGpu(
    { ...flags, ...(recipe.precision && { precision: recipe.precision }) },
    signal,
    async (gpu) => {
      const { observer, say, finish } = observing();
      say(`${name}: ${recipe.title}`);
      for (const line of describeStages(recipe)) say(`  ${line}`);
      try {
        const result = await runRecipe(recipe, {
          name,
          data: resolve(data),
          out,
          gpu,
          resume: flags.resume ?? false,
          checkpointSeconds: flags.checkpointSeconds,
          observer,
          signal,
        });
        finish();
        const software = gpu.adapter.kind === 'software';
        const place = { what: 'pictures', software, batches: "the recipe's batchSize" } as const;
        const waiting = result.input && describeInput(result.input, place);
        printResult(flags.json, result, ...inWords(result), ...(waiting ?? []));
      } catch (error) {
        // A run that never began leaves no folder.
        await afterFailure(() => removeEmptyFolder(out));
        if (signal.aborted) say(`stopped; --resume with the same command goes on with ${out}`);
        throw error;
      } finally {
        finish();
      }
    },
  );
}

/** A result for people. */
function inWords({ out, name, result, stages, seconds }: RunResult): string[] {
  const lines: string[] = [];
  for (const { layer, features, test } of result?.sweep ?? []) {
    lines.push(`${visibleLine(layer).padEnd(24)}${String(features).padStart(6)} features${accuracy(test)}`);
  }
  for (const { name: stage, epochs, test } of stages) {
    const word = epochs === 1 ? 'epoch ' : 'epochs';
    lines.push(`${visibleLine(stage).padEnd(12)}${String(epochs).padStart(4)} ${word}${accuracy(test)}`);
  }
  lines.push(`${name} in ${duration(1000 * seconds)}: ${result?.classifier ?? ''} and report.html in ${out}`);
  return lines;
}

function accuracy(test: RunResult['stages'][number]['test']): string {
  return test === null ? '' : `  accuracy ${test.accuracy.toFixed(4)} on ${test.samples} ${test.on} pictures`;
}

/** One display at a time: lines, a bar for the frozen layers' work, Keras' display for training. */
function observing(): {
  readonly observer: RunObserver;
  readonly say: (line: string) => void;
  /** Ends the line of a bar that is still shown, so that a result or an error begins a new one. */
  readonly finish: () => void;
} {
  let counting: { readonly what: string; readonly bar: ReturnType<typeof createProgress> } | undefined;
  let training: TrainingProgress | undefined;
  const stopCounting = (): void => {
    counting?.bar.stop();
    counting = undefined;
  };
  const say = (line: string): void => {
    stopCounting();
    if (training === undefined) sayLine(line);
    else training.say(line);
  };
  const observer: RunObserver = {
    say,
    count(what, done, total) {
      if (counting?.what !== what) {
        stopCounting();
        counting = { what, bar: createProgress(what) };
      }
      counting.bar.update(done, total);
    },
    callbacks({ endEpoch, steps }) {
      stopCounting();
      training = trainingProgress({ epochs: endEpoch, ...(steps === undefined ? {} : { steps }) });
      return [training];
    },
  };
  return { observer, say, finish: stopCounting };
}
