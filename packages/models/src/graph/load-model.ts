import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import type { Model } from '@convbase/layers';
import { openModelFile, type FilesInMemory, type ModelFile } from '../formats/index.ts';
import { loadWeights } from './load-weights.ts';
import { modelFromConfig, type FromConfigOptions } from './model-from-config.ts';

export interface LoadModelOptions extends FromConfigOptions {
  /** Puts the weights on this GPU at once; otherwise they go there at the first use. */
  readonly gpu?: Gpu;
  /** What messages call a model given as bytes. */
  readonly name?: string;
}

/**
 * A model with its graph and weights from one file: `.keras`, whole-model `.h5`, or a tfjs `model.json` (or its folder).
 *
 * @param source a path (in a browser a URL), the bytes of a file, or the files of a tfjs model by relative path
 * @throws ConvbaseError those of `openModelFile`, `modelFromConfig` and `loadWeights`, and `model/no-config` for a
 * file that holds weights only
 */
export async function loadModel(
  source: string | Uint8Array | ArrayBuffer | FilesInMemory,
  options: LoadModelOptions = {},
): Promise<Model> {
  const file = await openModelFile(source, options.name === undefined ? {} : { name: options.name });
  try {
    const model = modelFromFile(file, options);
    return options.gpu === undefined ? model : model.to(options.gpu);
  } finally {
    file.close();
  }
}

/** The model that an open file holds, with its weights. The file may be closed afterwards. */
export function modelFromFile(file: ModelFile, options: FromConfigOptions = {}): Model {
  if (file.config === undefined) {
    throw new ConvbaseError('model/no-config', 'it holds weights, but no description of a model', {
      where: file.name,
      fix: 'Give a whole model (.keras, whole-model .h5, tfjs model.json), or build the model and load the weights into it.',
    });
  }
  const model = inFile(file, () => modelFromConfig(file.config, options));
  // What was cut off leaves weights that nobody wants, so the counts differ; names are those of this very config.
  loadWeights(model, options.until === undefined ? file : { ...file, matching: 'name' });
  return model;
}

/** Builds what a file describes: an error in a layer names the file, too. */
export function inFile<T>(file: ModelFile, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ConvbaseError ? error.within(file.name) : error;
  }
}
