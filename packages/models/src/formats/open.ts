import { ConvbaseError } from '@convbase/base';
import { fileBeside, fileInFolder, isFolder, openSource, sha256 } from '#platform';
import { decodeText, malformed, parseJson } from './checks.ts';
import { Hdf5File } from './hdf5.ts';
import { isLegacyLayout, readLegacyLayout } from './keras-h5.ts';
import { isStoreLayout, readKerasArchive, readStoreLayout } from './keras-v3.ts';
import type { ModelFile } from './model-file.ts';
import { readIndexed } from './read-indexed.ts';
import { readSafetensors } from './safetensors.ts';
import { readSafetensorsModel } from './safetensors-model.ts';
import { sniff } from './sniff.ts';
import { MemorySource } from './source.ts';
import type { ByteSource } from './source.ts';
import { isTfjsModel, parseTfjsModel, readTfjsWeights } from './tfjs.ts';
import { ZipArchive } from './zip.ts';

/** `model.json` and its shards in memory, by their relative paths: how a browser hands over a tfjs model. */
export type FilesInMemory = Readonly<Record<string, Uint8Array | ArrayBuffer>>;

/** Parsed JSON takes ten times its text, and more. The largest model.json here has 0.2 MB. */
const MAX_JSON_BYTES = 1 << 24;

/**
 * Opens a model or weight file of any known format, told apart by its contents, never by its extension.
 *
 * @param file a path (in a browser a URL): of a file, of a tfjs `model.json` or of the folder that holds one; or the
 * bytes of a file; or the files of a tfjs model by relative path
 * @param options `name`: what messages call bytes that have no path
 * @throws ConvbaseError `file/missing`, `file/format` if it is none of the known formats, `file/malformed`,
 * `file/truncated`, `file/unsupported`, `file/unsafe-path`
 */
export async function openModelFile(
  file: string | Uint8Array | ArrayBuffer | FilesInMemory,
  options: { readonly name?: string } = {},
): Promise<ModelFile> {
  if (typeof file === 'string') {
    const path = (await isFolder(file)) ? fileInFolder(file, 'model.json') : file;
    return readIndexed(
      () => openFile(path),
      (source) => openContents(source, (shard) => openSource(fileBeside(path, shard))),
    );
  }
  if (file instanceof Uint8Array || file instanceof ArrayBuffer) {
    const source = new MemorySource(file, options.name ?? 'model file');
    return openContents(source, (shard) => {
      throw new ConvbaseError('file/missing', `its weight file ${shard} is not at hand`, {
        where: source.name,
        fix: 'Give the path of model.json, or all files by name: { "model.json": bytes, .. }.',
      });
    });
  }
  const inMemory = (path: string): MemorySource => {
    const data = Object.hasOwn(file, path) ? file[path] : undefined;
    if (data !== undefined) return new MemorySource(data, path);
    throw new ConvbaseError('file/missing', 'it is not among the files given', { where: path });
  };
  return openContents(inMemory('model.json'), (shard) => Promise.resolve(inMemory(shard)));
}

/** Opens a file; one that may name others is read at once. */
async function openFile(path: string): Promise<ByteSource> {
  const source = await openSource(path);
  try {
    if (sniff(source) !== 'json' || source.size > MAX_JSON_BYTES) return source;
    const bytes = source.bytes(0, source.size);
    source.close();
    return new MemorySource(bytes, source.name);
  } catch (error) {
    source.close();
    throw error;
  }
}

/** A reader's part of a ModelFile; the rest is the same for all formats. */
type Contents = Pick<ModelFile, 'format' | 'config' | 'layers' | 'matching' | 'textMember'>;

/** Opens by content; whatever was opened on the way is closed again if that fails. */
async function openContents(
  source: ByteSource,
  openShard: (path: string) => Promise<ByteSource>,
): Promise<ModelFile> {
  const opened: { close(): void }[] = [source];
  const hashed: ByteSource[] = [source];
  const close = () => {
    for (const item of opened.splice(0).reverse()) item.close();
  };
  const openHdf5 = async (part: ByteSource) => {
    const file = await Hdf5File.open(part);
    opened.push(file);
    return file;
  };
  const openShards = async (paths: readonly string[]) => {
    const shards: ByteSource[] = [];
    for (const path of paths) {
      const shard = await openShard(path);
      opened.push(shard);
      hashed.push(shard);
      shards.push(shard);
    }
    return shards;
  };
  try {
    const contents = await readContents(source, openHdf5, openShards);
    return { ...contents, name: source.name, checksum: () => sha256(hashed), close };
  } catch (error) {
    close();
    throw error;
  }
}

async function readContents(
  source: ByteSource,
  openHdf5: (part: ByteSource) => Promise<Hdf5File>,
  openShards: (paths: readonly string[]) => Promise<ByteSource[]>,
): Promise<Contents> {
  switch (sniff(source)) {
    case 'hdf5': {
      const file = await openHdf5(source);
      return file.limited(() => readHdf5(file));
    }
    case 'zip': {
      const { config, weights, textMember } = readKerasArchive(new ZipArchive(source), source.name);
      const file = await openHdf5(weights);
      const layers = file.limited(() => readStoreLayout(file, config));
      return { format: 'keras', matching: 'store-path', config, layers, textMember };
    }
    case 'safetensors':
      return {
        format: 'safetensors',
        matching: 'name',
        ...readSafetensorsModel(readSafetensors(source), source.name),
      };
    case 'json': {
      if (source.size > MAX_JSON_BYTES)
        throw malformed(source.name, `a model.json of ${source.size} bytes makes no sense`);
      const value = parseJson(decodeText(source.bytes(0, source.size), source.name), source.name);
      if (!isTfjsModel(value)) throw malformed(source.name, 'it is JSON, but no model.json of TensorFlow.js');
      const model = parseTfjsModel(value, source.name);
      const shards: ByteSource[][] = [];
      for (const group of model.groups) shards.push(await openShards(group.paths));
      return {
        format: 'tfjs-layers',
        matching: 'name',
        config: model.config,
        layers: readTfjsWeights(model, shards, source.name),
      };
    }
  }
}

function readHdf5(file: Hdf5File): Contents {
  if (isLegacyLayout(file)) {
    const contents = readLegacyLayout(file);
    return {
      format: contents.config === undefined ? 'keras-legacy-weights-h5' : 'keras-legacy-h5',
      matching: 'order',
      ...contents,
    };
  }
  if (!isStoreLayout(file))
    throw malformed(file.name, 'it is an HDF5 file, but holds no Keras model or weights');
  const layers = readStoreLayout(file, undefined);
  return { format: 'keras-weights-h5', matching: 'store-path', config: undefined, layers };
}
