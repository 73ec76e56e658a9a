import { decodeText, malformed } from './checks.ts';
import { joinPath } from './hdf5.ts';
import type { Hdf5File } from './hdf5.ts';
import { isOperation, layerName, nestedLayers, parseModelConfig } from './keras-config.ts';
import type { KerasLayerConfig, KerasModelConfig } from './keras-config.ts';
import type { LayerWeights, StoredWeight } from './model-file.ts';
import { storeNames } from './store-path.ts';
import type { ByteSource } from './source.ts';
import type { ZipArchive } from './zip.ts';

/** Where the layers of a model (also of a nested one) lie; the second is how TensorFlow 2.12 called it. */
const LAYER_GROUPS = ['layers', '_layer_checkpoint_dependencies'];
/** Deeper nesting than any model has; a group that contains itself would have no end. */
const MAX_DEPTH = 32;
/** And not too many either: two groups that each contain all would have 2^32 layers within that depth. */
const MAX_LAYERS = 10_000;
const MAX_CONFIG_BYTES = 1 << 24;

/** Whether the file is laid out as a Keras 3 weight store. */
export function isStoreLayout(file: Hdf5File): boolean {
  const root = file.entries('/');
  return LAYER_GROUPS.some((name) => root.get(name) === 'group') || root.get('vars') === 'group';
}

/** The parts of a `.keras` archive: its config and the weight store inside, to be opened as HDF5. */
export function readKerasArchive(
  archive: ZipArchive,
  where: string,
): {
  config: KerasModelConfig;
  weights: ByteSource;
  textMember: (name: string) => string | undefined;
} {
  const text = (name: string): string => {
    const file = archive.open(name, MAX_CONFIG_BYTES);
    return decodeText(file.bytes(0, file.size), `${where}, ${name}`);
  };
  const config = parseModelConfig(text('config.json'), `${where}, config.json`);
  const textMember = (name: string): string | undefined => (archive.has(name) ? text(name) : undefined);
  return { config, weights: archive.open('model.weights.h5'), textMember };
}

/**
 * Reads a weight store: `layers/<class>_<number>/vars/<n>`, nested models as another `layers` inside.
 *
 * With a config the layers come in its order and under its names. Without one the order of different classes is
 * unknown: layers are sorted by path, and a model finds its own by class and number (`matchLayers`).
 */
export function readStoreLayout(file: Hdf5File, config: KerasModelConfig | undefined): LayerWeights[] {
  if (!isStoreLayout(file))
    throw malformed(file.name, 'it holds neither layers nor variables of a Keras model');
  return config === undefined
    ? walkStore(file, '', '', 0, { left: MAX_LAYERS })
    : walkConfig(file, config.config.layers, '', '', 0);
}

function walkConfig(
  file: Hdf5File,
  layers: readonly KerasLayerConfig[],
  path: string,
  prefix: string,
  depth: number,
): LayerWeights[] {
  if (depth > MAX_DEPTH) throw malformed(file.name, `models are nested more than ${MAX_DEPTH} deep`);
  const group = layersGroup(file, path);
  const inFile = group === undefined ? new Map<string, string>() : file.entries(`/${group}`);
  const stored = layers.filter((layer) => !isOperation(layer));
  const names = storeNames(stored.map((layer) => layer.class_name));
  return stored.flatMap((layer, i) => {
    const storeName = names[i] ?? '';
    const name = prefix + (layerName(layer) ?? storeName);
    const nested = nestedLayers(layer, file.name);
    const present = group !== undefined && inFile.get(storeName) === 'group';
    const layerPath = present ? `${group}/${storeName}` : undefined;
    if (nested === undefined)
      return layerPath === undefined ? [{ name, weights: [] }] : [readLayer(file, layerPath, name)];
    return layerPath === undefined ? [] : walkConfig(file, nested, layerPath, `${name}/`, depth + 1);
  });
}

function walkStore(
  file: Hdf5File,
  path: string,
  prefix: string,
  depth: number,
  layers: { left: number },
): LayerWeights[] {
  if (depth > MAX_DEPTH) throw malformed(file.name, `groups are nested more than ${MAX_DEPTH} deep`);
  const group = layersGroup(file, path);
  if (group === undefined) return [];
  const names = [...file.entries(`/${group}`)].filter(([, kind]) => kind === 'group').map(([name]) => name);
  layers.left -= names.length;
  if (layers.left < 0) throw malformed(file.name, `it has more than ${MAX_LAYERS} layers`);
  return names.sort(byClassAndNumber).flatMap((storeName) => {
    const layerPath = `${group}/${storeName}`;
    const name = prefix + (writtenName(file, layerPath) ?? storeName);
    return [readLayer(file, layerPath, name), ...walkStore(file, layerPath, `${name}/`, depth + 1, layers)];
  });
}

function layersGroup(file: Hdf5File, path: string): string | undefined {
  const inFile = file.entries(`/${path}`);
  const name = LAYER_GROUPS.find((candidate) => inFile.get(candidate) === 'group');
  return name === undefined ? undefined : joinPath(path, name).replace(/^\//, '');
}

function readLayer(file: Hdf5File, layerPath: string, name: string): LayerWeights {
  if (file.entries(`/${layerPath}`).get('vars') !== 'group')
    return { name, storePath: layerPath, weights: [] };
  const path = `/${layerPath}/vars`;
  const keys = [...file.entries(path).keys()].sort((a, b) => Number(a) - Number(b));
  const weights = keys.map((key, i): StoredWeight => {
    if (key !== String(i))
      throw malformed(file.name, `the variables in ${path} are not numbered from 0 without a gap`);
    return { name: key, path: joinPath(path, key), ...file.dataset(joinPath(path, key)) };
  });
  return { name, storePath: layerPath, weights };
}

/** The layer's name, which newer versions of Keras 3 write beside its variables. */
function writtenName(file: Hdf5File, layerPath: string): string | undefined {
  if (file.entries(`/${layerPath}`).get('vars') !== 'group') return undefined;
  const path = `/${layerPath}/vars`;
  return file.hasAttribute(path, 'name') ? file.textAttribute(path, 'name')[0] : undefined;
}

/** `conv2d_2` before `conv2d_10`. */
function byClassAndNumber(a: string, b: string): number {
  const [classA, numberA] = splitNumber(a);
  const [classB, numberB] = splitNumber(b);
  return classA === classB ? numberA - numberB : classA < classB ? -1 : 1;
}

function splitNumber(name: string): [string, number] {
  const match = /^(.*)_(\d+)$/.exec(name);
  return match === null ? [name, 0] : [match[1] ?? name, Number(match[2])];
}
