import type { Command } from 'commander';
import { openBase } from '@convbase/models';
import { inputConfig, withBaseOptions, type BaseFlags } from '../jobs/base-options.ts';
import { extractToFolder } from '../jobs/extract-features.ts';
import { openPictures } from '../jobs/pictures.ts';
import type { ExitState } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { withCommonOptions, wholeNumber, type CommonOptions } from '../terminal/options.ts';
import { createProgress } from '../terminal/progress.ts';

interface ExtractFlags extends BaseFlags, CommonOptions {
  readonly model: string;
  readonly out: string;
  readonly batchSize: number;
}

/** `convbase extract`: what a pretrained model sees in pictures, as `.npy`. */
export function addExtract(program: Command, _state: ExitState): void {
  const command = program
    .command('extract')
    .argument('<dir>', 'folder with one folder of pictures for each class, or with MNIST idx files')
    .summary('turn pictures into features')
    .description(
      'Runs pictures through a pretrained model and writes its features with labels, class names and a manifest. ' +
        'Interrupted, it goes on where it stopped when run again.',
    );
  withBaseOptions(command)
    .requiredOption('--out <dir>', 'folder to write the features to')
    .option('--batch-size <n>', 'pictures computed at once', wholeNumber(1), 32)
    .addHelpText(
      'after',
      '\nExample:\n  convbase extract pictures/ --model inception_v3 --size 150 --out features/',
    );
  for (const option of command.options) if (option.long === '--model') option.makeOptionMandatory();
  withCommonOptions(command, { gpu: true }).action((dir: string, flags: ExtractFlags) => extract(dir, flags));
}

async function extract(dir: string, flags: ExtractFlags): Promise<void> {
  await interruptible(async (signal) => {
    const progress = createProgress('extract');
    const set = await openPictures({ ...flags, path: dir });
    const base = await openBase(flags.model, {
      ...(flags.weights === undefined ? {} : { weights: flags.weights }),
      ...(flags.layer === undefined ? {} : { layer: flags.layer }),
      onStatus: progress.say,
      signal,
    });
    const input = inputConfig(base, flags);
    await usingGpu(flags, async (gpu) => {
      const { batchSize, onBadImage } = flags;
      const job = { gpu, base, set, input, batchSize, onBadImage, progress, signal };
      try {
        const result = await extractToFolder(job, flags.out, dir);
        progress.stop();
        const { rows, skipped, featureShape } = result;
        if (flags.json)
          console.log(JSON.stringify({ out: flags.out, rows, skipped, featureShape, layer: base.layer }));
        else {
          const left = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
          console.log(
            `${rows} pictures${left}: features (${featureShape.join(', ')}) of ${base.spec} ${base.layer} in ${flags.out}`,
          );
        }
      } finally {
        progress.stop();
        base.model.dispose();
      }
    });
  });
}
