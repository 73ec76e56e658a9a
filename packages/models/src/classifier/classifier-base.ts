import { ConvbaseError } from '@convbase/base';
import { isApplication } from '../applications/index.ts';
import { openBase, type Base, type StatusOptions } from '../base/index.ts';
import type { Classifier } from './classifier.ts';

export interface ClassifierBaseOptions extends StatusOptions {
  /** The base's weight file (or the model file that it was), where that is no longer where it was. */
  readonly weights?: string;
}

/**
 * The base a classifier was trained on, with exactly the weights it was trained on.
 *
 * @throws ConvbaseError `classifier/base` where the weights are others; those of `openBase`
 */
export async function openClassifierBase(
  classifier: Classifier,
  { weights, ...status }: ClassifierBaseOptions = {},
): Promise<Base> {
  const { model, weights: trainedWith, layer, checksum } = classifier.config.base;
  const file = weights ?? trainedWith ?? undefined;
  const base = isApplication(model)
    ? await openBase(model, { ...status, layer, ...(file === undefined ? {} : { weights: file }) })
    : await openBase(file ?? model, { ...status, layer });
  if (base.checksum === checksum) return base;
  throw new ConvbaseError(
    'classifier/base',
    `the weights of ${model} are not those the classifier was trained on (SHA-256 ${base.checksum.slice(0, 12)}, not ${checksum.slice(0, 12)})`,
    { where: file ?? model, fix: 'Name the right weight file with --weights.' },
  );
}
