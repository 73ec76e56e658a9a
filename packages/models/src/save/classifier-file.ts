import { ConvbaseError } from '@convbase/base';
import type { Model } from '@convbase/layers';
import type { ClassifierInfo } from './classifier-info.ts';

/**
 * Saves a trained classifier as one file: a `.keras` archive of the whole model, which Keras opens as any other, with
 * one more member, `convbase.json`, that says what its outputs mean and what its input has to be.
 */
export function saveClassifierFile(path: string, _model: Model, _info: ClassifierInfo): Promise<void> {
  return Promise.reject(new ConvbaseError('file/unsupported', 'not written yet', { where: path }));
}

/**
 * Opens what `saveClassifierFile` saved.
 *
 * @param source a path, in a browser a URL, or the bytes
 * @throws ConvbaseError `classifier/none` for a model file without `convbase.json`, `classifier/config` for a damaged one
 */
export function openClassifierFile(
  source: string | Uint8Array | ArrayBuffer,
): Promise<{ model: Model; info: ClassifierInfo }> {
  return Promise.reject(new ConvbaseError('file/unsupported', 'not read yet', { where: String(source) }));
}
