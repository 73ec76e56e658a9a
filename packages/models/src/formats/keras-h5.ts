import { ConvbaseError } from '@convbase/base';
import { malformed } from './checks.ts';
import { joinPath } from './hdf5.ts';
import type { Hdf5File } from './hdf5.ts';
import { parseModelConfig } from './keras-config.ts';
import type { KerasModelConfig } from './keras-config.ts';
import type { LayerWeights, StoredWeight } from './model-file.ts';

/** The config and layers of an HDF5 file as Keras 1, 2 and (for `.h5`) 3 write it. */
export interface LegacyContents {
  readonly config: KerasModelConfig | undefined;
  readonly layers: readonly LayerWeights[];
}

/** Whether the file is laid out the legacy way: a list of layer names at the root or in `model_weights`. */
export function isLegacyLayout(file: Hdf5File): boolean {
  return weightGroup(file) !== undefined;
}

/**
 * Reads the legacy layout: attribute `layer_names` in model order; in each layer's group the attribute
 * `weight_names`, each the path of a dataset. A whole model keeps this under `model_weights` and its description in
 * the root attribute `model_config`.
 */
export function readLegacyLayout(file: Hdf5File): LegacyContents {
  const group = weightGroup(file);
  if (group === undefined) throw malformed(file.name, 'it lists no layers (attribute layer_names)');
  const config = file.hasAttribute('/', 'model_config')
    ? parseModelConfig(file.textAttribute('/', 'model_config').join(''), file.name)
    : undefined;
  const inFile = file.entries(group);
  const layers = readNames(file, group, 'layer_names').map((name): LayerWeights => {
    if (inFile.get(name) !== 'group')
      throw malformed(file.name, `its list names the layer ${name}, which is not in it`);
    const path = joinPath(group, name);
    return {
      name,
      weights: readNames(file, path, 'weight_names').map((weight) => storedWeight(file, path, weight)),
    };
  });
  return { config, layers };
}

function weightGroup(file: Hdf5File): string | undefined {
  if (hasNames(file, '/', 'layer_names')) return '/';
  if (file.entries('/').get('model_weights') !== 'group') return undefined;
  return hasNames(file, '/model_weights', 'layer_names') ? '/model_weights' : undefined;
}

function hasNames(file: Hdf5File, path: string, attribute: string): boolean {
  return file.hasAttribute(path, attribute) || file.hasAttribute(path, `${attribute}0`);
}

/** A list of names; lists above HDF5's 64 kB limit are split over `layer_names0`, `layer_names1` .. */
function readNames(file: Hdf5File, path: string, attribute: string): string[] {
  if (file.hasAttribute(path, attribute)) return file.textAttribute(path, attribute);
  const names: string[] = [];
  for (let part = 0; file.hasAttribute(path, `${attribute}${part}`); part++) {
    names.push(...file.textAttribute(path, `${attribute}${part}`));
  }
  return names;
}

function storedWeight(file: Hdf5File, layerPath: string, weightName: string): StoredWeight {
  let at = layerPath;
  const parts = weightName.split('/').filter((part) => part !== '');
  for (const [i, part] of parts.entries()) {
    const kind = file.entries(at).get(part);
    if (kind !== (i === parts.length - 1 ? 'dataset' : 'group')) {
      throw new ConvbaseError(
        'file/missing-tensor',
        `the weight ${weightName} that ${layerPath} lists is not in it`,
        {
          where: file.name,
          fix: 'The file is damaged or links to another file: save the weights again.',
        },
      );
    }
    at = joinPath(at, part);
  }
  const last = parts.at(-1);
  if (last === undefined) throw malformed(file.name, `${layerPath} lists a weight without a name`);
  return { name: last.replace(/:\d+$/, ''), path: at, ...file.dataset(at) };
}
