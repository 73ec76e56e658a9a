import type { Gpu } from '@convbase/core-gpu';
import { InputMeter } from '@convbase/layers';
import type { Command } from 'commander';
import { openFlaggedBase, withBaseOptions, type BaseFlags } from '../jobs/base-options.ts';
import { extractToFolder } from '../jobs/extraction.ts';
import { openPictures, withPictureOptions, type PictureFlags } from '../jobs/pictures.ts';
import type { Invocation } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import { waitingOf } from '../terminal/input.ts';
import { withCommonOptions, wholeNumber, type CommonOptions } from '../terminal/options.ts';
import { printResult } from '../terminal/print.ts';
import { createProgress } from '../terminal/progress.ts';

interface ExtractFlags extends BaseFlags, PictureFlags, CommonOptions {
  readonly out: string;
  readonly batchSize: number;
}

/** `convbase extract`: what a pretrained model sees in pictures, as `.npy`. */
export function addExtract(program: Command, invocation: Invocation): void {
  const command = program
    .command('extract')
    .argument('<dir>', 'folder with one folder of pictures for each class, or with MNIST idx files')
    .summary('turn pictures into features')
    .description(
      'Runs pictures through a pretrained model and writes its features with labels, class names and a manifest. ' +
        'Interrupted, it goes on where it stopped when run again.',
    );
  withPictureOptions(withBaseOptions(command), 'train')
    .requiredOption('--out <dir>', 'folder to write the features to')
    .option('--batch-size <n>', 'pictures computed at once', wholeNumber(1), 32)
    .addHelpText(
      'after',
      '\nExample:\n  convbase extract pictures/ --model inception_v3 --size 150 --out features/',
    );
  for (const option of command.options) if (option.long === '--model') option.makeOptionMandatory();
  withCommonOptions(command, { gpu: true }).action((dir: string, flags: ExtractFlags) =>
    extract(dir, flags, invocation.signal),
  );
}

async function extract(dir: string, flags: ExtractFlags, signal: AbortSignal): Promise<void> {
  const { batchSize, onBadImage, out, json } = flags;
  const progress = createProgress('extract');
  const meter = new InputMeter();
  let adapter: Gpu['adapter'] | undefined;
  const set = await openPictures(dir, { ...flags, preferred: 'train' });
  const opened = await openFlaggedBase(flags, { onStatus: progress.say, signal });
  try {
    const { manifest, rows, alreadyComplete } = await extractToFolder(set, dir, out, {
      ...{ ...opened, batchSize, onBadImage, progress, signal, meter },
      withGpu: (job) =>
        usingGpu(flags, signal, (gpu) => {
          ({ adapter } = gpu);
          return job(gpu);
        }),
    });
    progress.stop();
    const { skipped, featureShape, base } = manifest;
    const left = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
    const already = alreadyComplete ? ', complete already' : '';
    const { input, lines } = waitingOf(meter, 'pictures', adapter, '--batch-size');
    printResult(
      json,
      { out, rows, skipped, featureShape, layer: base.layer, input },
      `${rows} pictures${left}: features (${featureShape.join(', ')}) of ${base.model} ${base.layer} in ${out}${already}`,
      ...lines,
    );
  } finally {
    progress.stop();
    opened.base.model.dispose();
  }
}
