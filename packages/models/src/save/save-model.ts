import { ConvbaseError } from '@convbase/base';
import type { Model } from '@convbase/layers';
import { checkSaveLock, refuseExisting, saveFile } from '#platform';
import type { FilesInMemory } from '../formats/index.ts';
import { joined } from './joined.ts';
import { kerasArchive } from './keras-archive.ts';
import { safetensorsModel } from './safetensors-model.ts';
import { contentName, saveIndexed, type SaveOptions } from './indexed.ts';
import { plainName, tfjsModel, type ShardName } from './tfjs-model.ts';
import { weightStore } from './weight-store.ts';

/** What a model can be saved as in one file, by the ending of its name. */
const writers = {
  '.keras': (model: Model) => kerasArchive(model),
  '.weights.h5': weightStore,
  '.safetensors': safetensorsModel,
} as const satisfies Record<string, (model: Model) => AsyncIterable<Uint8Array>>;

/** An ending that names a format of one file. */
export type FileEnding = keyof typeof writers;

/**
 * Saves a model in the format that the path's ending names: `.keras` (Keras 3, the whole model), `.weights.h5` (Keras
 * 3, weights only), `.safetensors` (the whole model), or TensorFlow.js' layers-model where it ends in `/model.json`.
 *
 * A file appears under its name only when it is complete, of a TensorFlow.js model `model.json` last; what is there
 * already changes at that moment as a whole. Weights are read and written one at a time.
 *
 * @throws ConvbaseError `file/ending` for an ending that names no format (`.h5` alone is read, but not written: Keras
 * calls it legacy), `graph/layer` for a layer that the format
 * does not have, `file/exists` for what is not to be overwritten, and those of writing (`disk/full`, `file/denied` ..)
 */
export async function saveModel(model: Model, path: string, options: SaveOptions = {}): Promise<void> {
  if (!isTfjs(path)) return saveFile(path, writers[endingOf(path)](model), options);
  await saveIndexed(path, tfjsModel(model, shardName), isShardName, options);
}

/**
 * A weight file of another content has another name, so that those of the model that is there stay until `model.json` no
 * longer names them.
 */
const shardName: ShardName = async (place, bytes) => plainName(`${place}-${await contentName(bytes)}`, bytes);

function isShardName(name: string): boolean {
  return /^group1-shard\d+of\d+(-[0-9a-f]{12})?\.bin$/.test(name);
}

/** The bytes of a saved model, for a page to hand over as a download. See `saveModel`. */
export function modelBytes(model: Model, ending: FileEnding): Promise<Uint8Array> {
  return joined(writers[ending](model));
}

/** The files of a model as TensorFlow.js' layers-model, by name. */
export async function tfjsFiles(model: Model): Promise<FilesInMemory> {
  const files: Record<string, Uint8Array> = {};
  for await (const [name, bytes] of tfjsModel(model)) files[name] = bytes;
  return files;
}

/**
 * Refuses a path that `saveModel` would refuse, before there is a model to save.
 *
 * @throws ConvbaseError `file/ending`, `file/exists`; `file/locked` naming the process that writes there
 */
export async function checkModelPath(path: string, { overwrite = true }: SaveOptions = {}): Promise<void> {
  if (!overwrite) await refuseExisting(path);
  if (isTfjs(path)) await checkSaveLock(path);
  else endingOf(path);
}

function isTfjs(path: string): boolean {
  return /(^|[/\\])model\.json$/.test(path);
}

function endingOf(path: string): FileEnding {
  const endings = Object.keys(writers) as FileEnding[];
  const found = endings.find((ending) => path.toLowerCase().endsWith(ending));
  if (found !== undefined) return found;
  const what = /\.(h5|hdf5)$/i.test(path)
    ? "Keras 2's files for whole models are read, but not written"
    : 'its name does not say in which format to save the model';
  throw new ConvbaseError('file/ending', what, {
    where: path,
    fix: `Give it one of the endings ${endings.join(', ')}, or /model.json for TensorFlow.js.`,
  });
}
