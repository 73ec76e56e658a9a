import { ConvbaseError } from '@convbase/base';
import type { Model } from '@convbase/layers';
import { headLoss, type StatusOptions } from '@convbase/models';
import { Option, type Command } from 'commander';
import { MOST_UNITS, pictureSize, refuseOptions, wholeNumber } from '../terminal/options.ts';
import { openLayers } from './open-layers.ts';

/** Options of commands that run a model for its time alone. */
export interface TimedFlags {
  readonly size?: [number, number];
  readonly includeTop?: true;
  readonly batchSize: number;
  readonly train?: true;
  readonly head: number;
  readonly unfreezeFrom?: string;
  readonly unfreezeLast?: number;
}

/** Adds the options that say which run of a model is meant. */
export function withTimedOptions(command: Command): Command {
  return command
    .option('--size <size>', 'picture size: 150, or height x width 150x200', pictureSize)
    .option('--include-top', "with the original's classifier (models by name)")
    .option('--batch-size <n>', 'pictures computed at once', wholeNumber(1), 1)
    .option('--train', 'a training step of the frozen model with a head for two classes behind it')
    .option('--head <units>', 'units of that head', wholeNumber(1, MOST_UNITS), 256)
    .option('--unfreeze-from <layer>', 'with this layer and those behind it trained too')
    .addOption(
      new Option('--unfreeze-last <count>', 'with so many layers at the end of the model trained too')
        .argParser(wholeNumber(0))
        .conflicts('unfreezeFrom'),
    );
}

/**
 * The model with initial weights, which take as long as any, ready for the run that the flags mean.
 *
 * @throws ConvbaseError `usage/option` for options of training without --train, `usage/size` where the size is open
 */
export async function openTimedModel(
  spec: string,
  command: Command,
  flags: TimedFlags,
  status: StatusOptions,
): Promise<Model> {
  const { train = false, size, includeTop, unfreezeFrom, unfreezeLast, head } = flags;
  if (!train) {
    const why = 'they are about training';
    refuseOptions(command, ['head', 'unfreezeFrom', 'unfreezeLast'], why, 'Add --train.');
  }
  const thawed = unfreezeFrom !== undefined || unfreezeLast !== undefined;
  const model = await openLayers(
    spec,
    {
      ...(size ? { size } : {}),
      ...(includeTop ? { includeTop } : {}),
      ...(train ? { head } : {}),
      ...(train && !thawed ? { frozen: true } : {}),
      ...(unfreezeFrom === undefined ? {} : { unfreezeFrom }),
      ...(unfreezeLast === undefined ? {} : { unfreezeLast }),
    },
    status,
  );
  if (model.inputs.some(({ shape }) => shape.slice(1).includes(null))) {
    throw new ConvbaseError('usage/size', 'it takes pictures of any size, so one has to be chosen', {
      where: spec,
      fix: 'Say it with --size, such as --size 150.',
    });
  }
  if (train) model.compile({ optimizer: 'rmsprop', loss: headLoss(2), metrics: ['accuracy'] });
  return model;
}
