import type { Model } from '@convbase/layers';
import { applications, isApplication } from '../applications/index.ts';
import { downloadOptions, sourceOptions, type StatusOptions } from '../base/status.ts';
import { isClassifier, openClassifier } from '../classifier/index.ts';
import { loadModel } from '../graph/index.ts';
import { checkModelPath, saveClassifierFile, saveModel, type ClassifierInfo } from '../save/index.ts';
import { resolveModelSource, resolveWeights } from '../weights/index.ts';

export interface ConvertOptions extends StatusOptions {
  /** The weight file of a model named by Keras' module name, or of the base of a classifier's folder. */
  readonly weights?: string;
  /** Whether a model named by Keras' module name comes with its classifier; false when left out. */
  readonly includeTop?: boolean;
  /** Whether what is there already is replaced, also what appears meanwhile; default true. Else `file/exists` is thrown. */
  readonly overwrite?: boolean;
}

/**
 * Writes a model in another format.
 *
 * @param source whatever can be named as a model: a file or folder of any format, an `npm:` package, a model by Keras'
 * module name, or a classifier's folder, whose base and head are joined
 * @param target where to and, by its ending, in which format: see `saveModel`
 * @returns the model, and of a classifier what must be known to use it; only `.keras` files keep that
 * @throws ConvbaseError those of opening and of `saveModel`
 */
export async function convertModel(
  source: string,
  target: string,
  options: ConvertOptions = {},
): Promise<{ model: Model; info?: ClassifierInfo }> {
  const { overwrite = true } = options;
  await checkModelPath(target, { overwrite });
  const { model, info } = await openAny(source, options);
  if (info !== undefined && target.toLowerCase().endsWith('.keras')) {
    await saveClassifierFile(target, model, info, { overwrite });
    return { model, info };
  }
  await saveModel(model, target, { overwrite });
  return { model, ...(info === undefined ? {} : { info }) };
}

async function openAny(
  spec: string,
  { weights, includeTop = false, ...status }: ConvertOptions,
): Promise<{ model: Model; info?: ClassifierInfo }> {
  if (await isClassifier(spec)) {
    return openClassifier(spec, { ...(weights === undefined ? {} : { weights }), ...status });
  }
  const source = await resolveModelSource(spec, sourceOptions(status));
  if (source.kind === 'application' && isApplication(source.model)) {
    const download = downloadOptions(status);
    const named = { model: source.model, includeTop, weights: weights ?? 'imagenet' };
    const { path } = await resolveWeights({ ...named, ...download });
    return { model: await applications[source.model].create({ includeTop, weights: path }) };
  }
  if (source.kind !== 'file') throw new Error(`unknown application ${spec}`);
  return { model: await loadModel(source.path) };
}
