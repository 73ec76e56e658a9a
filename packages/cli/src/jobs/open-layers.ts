import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { exists } from '@convbase/base/node';
import { readManifest } from '@convbase/data';
import { Model, Sequential } from '@convbase/layers';
import {
  buildHead,
  Classifier,
  CLASSIFIER_FILE,
  openArchitecture,
  type StatusOptions,
} from '@convbase/models';
import { isFeatureFolder } from './features-of.ts';

/** How a model's layers are wanted. */
export interface LayersFlags {
  readonly size?: [number, number];
  readonly includeTop?: true;
  /** Units of a head for two classes put behind it. */
  readonly head?: number;
  readonly frozen?: true;
  readonly unfreezeFrom?: string;
  readonly unfreezeLast?: number;
}

/** Freezes and thaws as the flags say. */
function freeze(model: Model, { frozen, unfreezeFrom, unfreezeLast }: LayersFlags): void {
  if (frozen) model.trainable = false;
  if (unfreezeFrom !== undefined) model.unfreezeFrom(unfreezeFrom);
  if (unfreezeLast !== undefined) model.unfreezeLast(unfreezeLast);
}

/** A model with the head that fine-tuning puts behind it. */
function withHead(base: Model, units: number): Model {
  const featureShape = base.output.shape.slice(1).map((size) => {
    if (size !== null) return size;
    throw new ConvbaseError('usage/size', 'a head needs to know how large the pictures are', {
      where: base.name,
      fix: 'Say it with --size, such as --size 150.',
    });
  });
  const head = buildHead({ featureShape, classCount: 2, units, activation: 'relu', dropout: 0 });
  const [, ...layers] = head.layers;
  return new Sequential({ layers: [base, ...layers] });
}

/** Says of a folder of features what it is. */
async function refuseFeatures(spec: string): Promise<void> {
  if (!(await isFeatureFolder(spec))) return;
  const { base, classNames, featureShape, source, skipped } = await readManifest(spec);
  const pictures = `${source.samples - skipped.length} pictures of ${classNames.join(', ')}`;
  throw new ConvbaseError(
    'usage/features',
    `it is no model, but holds features: what ${base.model} made of ${pictures}, ` +
      `(${featureShape.join(', ')}) each at ${base.layer}`,
    {
      where: spec,
      fix: `Train on it with \`convbase train ${spec}\`, or print the table of the model it comes from.`,
    },
  );
}

/** The classifier that a run of fine-tuning left in its folder; other names stay as they are. */
async function classifierOfRun(spec: string): Promise<string> {
  const classifier = join(spec, CLASSIFIER_FILE);
  if (await exists(classifier)) return classifier;
  if (!(await exists(join(spec, 'run.json')))) return spec;
  throw new ConvbaseError('usage/run', 'the run in this folder has not come to a classifier yet', {
    where: spec,
    fix: 'Go on with it (the command that began it, with --resume), or print the model that it trains.',
  });
}

/**
 * The layers of a model by name, file or package with initial weights, or of a classifier: its frozen base with the head.
 *
 * @throws ConvbaseError `usage/features` for a folder of features, `usage/run` for a run without a classifier, and those of opening the model
 */
export async function openLayers(spec: string, flags: LayersFlags, status: StatusOptions): Promise<Model> {
  if (await exists(join(spec, 'classifier.json'))) {
    const { config, head } = await Classifier.load(spec);
    const inputShape = [...config.input.size, 3];
    const base = await openArchitecture(config.base.model, {
      ...status,
      inputShape,
      until: config.base.layer,
    });
    base.trainable = false;
    freeze(base, flags);
    return new Model({ inputs: base.inputs, outputs: [head.apply(base.outputs)], name: 'classifier' });
  }
  await refuseFeatures(spec);
  const model = await openArchitecture(await classifierOfRun(spec), {
    ...status,
    ...(flags.size ? { inputShape: [...flags.size, 3] } : {}),
    includeTop: flags.includeTop ?? false,
  });
  freeze(model, flags);
  return flags.head === undefined ? model : withHead(model, flags.head);
}
