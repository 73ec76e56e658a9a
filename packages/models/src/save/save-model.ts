import { ConvbaseError } from '@convbase/base';
import type { Model } from '@convbase/layers';

/**
 * Saves a model in the format that the path's ending names: `.keras` (Keras 3, the whole model), `.weights.h5` (Keras
 * 3, weights only), `.safetensors`, or a TensorFlow.js layers-model (`model.json`, or a path without an ending: its
 * folder). The file appears under its name only when it is complete.
 */
export function saveModel(_model: Model, path: string): Promise<void> {
  return Promise.reject(new ConvbaseError('file/unsupported', 'not written yet', { where: path }));
}
