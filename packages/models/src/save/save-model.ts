import { ConvbaseError } from '@convbase/base';
import type { Model } from '@convbase/layers';
import { saveFile } from '#platform';
import { joined } from './joined.ts';
import { kerasArchive } from './keras-archive.ts';
import { weightStore } from './weight-store.ts';

/** What a model can be saved as in one file, by the ending of its name. */
const writers = {
  '.keras': (model: Model) => kerasArchive(model),
  '.weights.h5': weightStore,
} as const satisfies Record<string, (model: Model) => AsyncIterable<Uint8Array>>;

export type FileEnding = keyof typeof writers;

/**
 * Saves a model in the format that the path's ending names: `.keras` (Keras 3, the whole model), `.weights.h5` (Keras
 * 3, weights only), `.safetensors`, or a TensorFlow.js layers-model (`model.json`, or a path without an ending: its
 * folder). The file appears under its name only when it is complete; weights are read and written one at a time.
 *
 * @throws ConvbaseError `file/ending` for an ending that names no format, `graph/layer` for a layer Keras does not
 * have, and those of writing (`disk/full`, `file/denied` ..)
 */
export async function saveModel(model: Model, path: string): Promise<void> {
  await saveFile(path, writers[endingOf(path)](model));
}

/** The bytes of a saved model, for a page to hand over as a download. See `saveModel`. */
export async function modelBytes(model: Model, ending: FileEnding): Promise<Uint8Array> {
  return joined(writers[ending](model));
}

function endingOf(path: string): FileEnding {
  const endings = Object.keys(writers) as FileEnding[];
  const found = endings.find((ending) => path.toLowerCase().endsWith(ending));
  if (found !== undefined) return found;
  throw new ConvbaseError('file/ending', 'its name does not say in which format to save the model', {
    where: path,
    fix: `Give it one of the endings ${endings.join(', ')}.`,
  });
}
