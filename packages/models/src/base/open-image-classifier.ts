import type { Model, PreprocessMode } from '@convbase/layers';
import { ConvbaseError } from '@convbase/base';
import { applications, isApplication } from '../applications/index.ts';
import { loadModel } from '../graph/index.ts';
import { imagenetLabels, readLabels, resolveModelSource, resolveWeights } from '../weights/index.ts';
import { downloadOptions, sourceOptions, type StatusOptions } from './status.ts';

/** A whole pretrained model that names the class of a picture. */
export interface ImageClassifier {
  readonly model: Model;
  readonly classNames: readonly string[];
  readonly preprocess: PreprocessMode | undefined;
  /** Height and width. */
  readonly size: readonly [number, number];
}

export interface OpenImageClassifierOptions extends StatusOptions {
  /** A weight file, with the top, for a model named by Keras' module name. */
  readonly weights?: string;
}

/**
 * Opens a pretrained model with its own classifier: one of convbase's by Keras' module name (ImageNet's classes), a
 * model file, or an `npm:` package.
 *
 * @throws ConvbaseError `model/no-classifier` where the model does not end in one row of probabilities
 */
export async function openImageClassifier(
  spec: string,
  options: OpenImageClassifierOptions = {},
): Promise<ImageClassifier> {
  const source = await resolveModelSource(spec, sourceOptions(options));
  if (source.kind === 'application' && isApplication(source.model)) {
    const application = applications[source.model];
    const weights = options.weights ?? 'imagenet';
    const download = downloadOptions(options);
    const { path } = await resolveWeights({ model: source.model, includeTop: true, weights, ...download });
    const model = await application.create({ weights: path });
    const size = [application.defaultSize, application.defaultSize] as const;
    return { model, classNames: await imagenetLabels(download), preprocess: application.preprocess, size };
  }
  if (source.kind !== 'file') throw new Error(`unknown application ${spec}`);
  const model = await loadModel(source.path);
  const [, height, width] = model.inputs[0]?.shape ?? [];
  const [, classes, ...rest] = model.outputs[0]?.shape ?? [];
  if (!height || !width || !classes || rest.length > 0) {
    throw new ConvbaseError(
      'model/no-classifier',
      'the model does not turn pictures of one size into one row of classes',
      {
        where: spec,
        fix: 'Train a head on it: `convbase train DIR --model ...`.',
      },
    );
  }
  const classNames = source.labels
    ? await readLabels(source.labels)
    : Array.from({ length: classes }, (_, i) => `class ${i}`);
  return { model, classNames, preprocess: source.preprocess, size: [height, width] };
}
