import { ConvbaseError } from '@convbase/base';
import type { Model } from '@convbase/layers';
import { openSource, saveFile } from '#platform';
import { openModelFile, type ModelFile } from '../formats/index.ts';
import { sniff } from '../formats/sniff.ts';
import { ZipArchive } from '../formats/zip.ts';
import { modelFromFile } from '../graph/index.ts';
import { classifierInfoText, parseClassifierInfo, type ClassifierInfo } from './classifier-info.ts';
import type { SaveOptions } from './indexed.ts';
import { kerasArchive } from './keras-archive.ts';
import { joined } from './joined.ts';

/** The member of the archive that makes a saved model a classifier. */
const INFO_FILE = 'convbase.json';

/**
 * Saves a trained classifier as one file: a `.keras` archive of the whole model, which Keras opens as any other, with
 * one more member, `convbase.json`, that says what its outputs mean and what its input has to be.
 *
 * @throws ConvbaseError `file/ending` for a path that does not end in `.keras`, and those of `saveModel`
 */
export async function saveClassifierFile(
  path: string,
  model: Model,
  info: ClassifierInfo,
  options: SaveOptions = {},
): Promise<void> {
  if (!path.toLowerCase().endsWith('.keras')) {
    throw new ConvbaseError('file/ending', 'a classifier is saved as a .keras file', {
      where: path,
      fix: 'Let its name end in .keras, so that Keras opens it too.',
    });
  }
  await saveFile(path, kerasArchive(model, { [INFO_FILE]: classifierInfoText(info) }), options);
}

/** The bytes of `saveClassifierFile`, for a page to hand over as a download. */
export function classifierBytes(model: Model, info: ClassifierInfo): Promise<Uint8Array> {
  return joined(kerasArchive(model, { [INFO_FILE]: classifierInfoText(info) }));
}

/**
 * Opens what `saveClassifierFile` saved.
 *
 * @param source a path, in a browser a URL, or the bytes
 * @throws ConvbaseError `classifier/none` for a model file without `convbase.json`, `classifier/config` for a damaged
 * one, and those of `loadModel`
 */
export async function openClassifierFile(
  source: string | Uint8Array | ArrayBuffer,
): Promise<{ model: Model; info: ClassifierInfo }> {
  const file = await openModelFile(source);
  try {
    const info = classifierInfoOf(file);
    if (info === undefined) {
      throw new ConvbaseError('classifier/none', 'it is a model, but says nothing of classes and input', {
        where: file.name,
        fix: 'Give a classifier that convbase saved, or open it as a model.',
      });
    }
    return { model: modelFromFile(file), info };
  } finally {
    file.close();
  }
}

/**
 * Whether a file is a `.keras` archive with a `convbase.json`; nothing else of it is read.
 *
 * @param path a path, in a browser a URL
 */
export async function isClassifierFile(path: string): Promise<boolean> {
  const source = await openSource(path);
  try {
    return sniff(source) === 'zip' && new ZipArchive(source).has(INFO_FILE);
  } finally {
    source.close();
  }
}

/** What an open file says of the classes and the input of its model; undefined for a mere model. */
function classifierInfoOf(file: ModelFile): ClassifierInfo | undefined {
  const text = file.textMember?.(INFO_FILE);
  return text === undefined ? undefined : parseClassifierInfo(text, `${file.name}, ${INFO_FILE}`);
}
