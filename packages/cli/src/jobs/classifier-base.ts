import { ConvbaseError } from '@convbase/base';
import { openBase, type Base, type Classifier, type StatusOptions } from '@convbase/models';

/** The base a classifier was trained on, with exactly the weights it was trained on. */
export async function classifierBase(
  classifier: Classifier,
  weights: string | undefined,
  status: StatusOptions,
): Promise<Base> {
  const { base: wanted } = classifier.config;
  const file = weights ?? wanted.weights;
  const base = await openBase(wanted.model, {
    ...status,
    layer: wanted.layer,
    ...(file === null ? {} : { weights: file }),
  });
  if (base.checksum === wanted.checksum) return base;
  throw new ConvbaseError(
    'classifier/base',
    `the weights of ${wanted.model} are not those the classifier was trained on (SHA-256 ${base.checksum.slice(0, 12)}, not ${wanted.checksum.slice(0, 12)})`,
    { where: file ?? wanted.model, fix: 'Name the right weight file with --weights.' },
  );
}
