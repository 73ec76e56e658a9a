import { ConvbaseError } from '@convbase/base';
import type { LayerWeights, ModelFile, StoredWeight } from './model-file.ts';
import { storeNames } from './store-path.ts';

export interface TargetWeight {
  /** Its short name, `kernel`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether it is trained, which decides the order in legacy files of nested models; true when left out. */
  readonly trainable?: boolean;
}

/** What matching needs to know of a layer of the model that is to be filled. */
export interface TargetLayer {
  readonly name: string;
  /** Its Keras class, such as `Conv2D`. */
  readonly className: string;
  /** Its weights in Keras' order, with their short names (`kernel`). Of a nested model: those of all its layers. */
  readonly weights: readonly TargetWeight[];
  /** The layers of a nested model. */
  readonly layers?: readonly TargetLayer[];
}

/** A layer with the stored weights that fill it, one for each of `target.weights` and in that order. */
export interface LayerMatch<T extends TargetLayer = TargetLayer> {
  readonly target: T;
  readonly weights: readonly StoredWeight[];
}

/**
 * Finds for every layer with weights the stored ones, each shape checked; nothing is read yet.
 *
 * By `file.matching`: the n-th with the n-th, by name, or by class and number. A whole-model `.h5` whose weighted
 * layers bear exactly the model's names is matched by them.
 *
 * @param targets the layers of the model in `model.layers` order
 * @throws ConvbaseError `weights/count` if the numbers of layers or of a layer's weights differ, `weights/missing` if
 * a layer is not in the file, `weights/shape` if a shape differs
 */
export function matchLayers<T extends TargetLayer>(file: ModelFile, targets: readonly T[]): LayerMatch<T>[] {
  const stored = file.layers.filter((layer) => layer.weights.length > 0);
  const wanted = targets.filter((target) => target.weights.length > 0);
  if (file.matching === 'store-path') return matchByStorePath(file, targets);
  if (file.matching === 'order' && !(file.config !== undefined && sameNames(stored, wanted))) {
    return matchByOrder(file.name, stored, wanted);
  }
  return wanted.map((target) => ({ target, weights: matchByName(file, stored, target, '') }));
}

/** A layer of a nested model is stored under its own name or, in front of it, that of the model. */
function matchByName(
  file: ModelFile,
  stored: readonly LayerWeights[],
  target: TargetLayer,
  prefix: string,
): readonly StoredWeight[] {
  const whole = stored.find((layer) => layer.name === prefix + target.name);
  if (whole !== undefined) return matchWeights(file.name, whole, target);
  if (target.layers !== undefined) {
    return target.layers
      .filter(({ weights }) => weights.length > 0)
      .flatMap((layer) => matchByName(file, stored, layer, `${prefix}${target.name}/`));
  }
  return matchWeights(file.name, findByName(file, stored, target), target);
}

function sameNames(stored: readonly LayerWeights[], wanted: readonly TargetLayer[]): boolean {
  const names = new Set(stored.map((layer) => layer.name));
  return (
    names.size === wanted.length &&
    stored.length === wanted.length &&
    wanted.every(({ name }) => names.has(name))
  );
}

function matchByOrder<T extends TargetLayer>(
  where: string,
  stored: readonly LayerWeights[],
  wanted: readonly T[],
): LayerMatch<T>[] {
  if (stored.length !== wanted.length) {
    throw new ConvbaseError(
      'weights/count',
      `the file has ${stored.length} layers with weights, the model ${wanted.length}`,
      {
        where,
        fix: 'Use weights of this very model; check whether both have, or lack, the top (includeTop).',
      },
    );
  }
  return wanted.map((target, i) => {
    const layer = stored[i] ?? { name: '', weights: [] };
    return { target, weights: matchWeights(where, layer, target) };
  });
}

/** A tfjs file may put the model's name in front: `resnet50/conv1` is the layer `conv1` if no other ends like that. */
function findByName(file: ModelFile, stored: readonly LayerWeights[], target: TargetLayer): LayerWeights {
  const exact = stored.find((layer) => layer.name === target.name);
  if (exact !== undefined) return exact;
  const ending = stored.filter((layer) => layer.name.endsWith(`/${target.name}`));
  const [only] = ending;
  if (only !== undefined && ending.length === 1) return only;
  throw missing(
    file.name,
    target.name,
    stored.map((layer) => layer.name),
  );
}

function matchByStorePath<T extends TargetLayer>(file: ModelFile, targets: readonly T[]): LayerMatch<T>[] {
  // The group of the layers was once called differently; numbers and classes are the same.
  const byPath = new Map(file.layers.map((layer) => [normalize(layer.storePath ?? layer.name), layer]));
  const used = new Set<LayerWeights>();
  const find = (target: TargetLayer, path: string): StoredWeight[] => {
    if (target.layers !== undefined) {
      const names = storeNames(target.layers.map((layer) => layer.className));
      return target.layers.flatMap((layer, i) => find(layer, `${path}/layers/${names[i] ?? ''}`));
    }
    if (target.weights.length === 0) return [];
    const layer = byPath.get(path);
    if (layer === undefined || layer.weights.length === 0)
      throw missing(file.name, `${target.name} (${path})`, [...byPath.keys()]);
    used.add(layer);
    return matchWeights(file.name, layer, target);
  };
  const names = storeNames(targets.map((target) => target.className));
  const matches = targets.map((target, i) => ({ target, weights: find(target, `layers/${names[i] ?? ''}`) }));
  const left = file.layers.filter((layer) => layer.weights.length > 0 && !used.has(layer));
  if (left.length > 0) {
    throw new ConvbaseError(
      'weights/count',
      `the file has weights that the model has no layer for: ${left
        .slice(0, 3)
        .map((layer) => layer.name)
        .join(', ')}`,
      { where: file.name, fix: 'Use weights of this very model.' },
    );
  }
  return matches.filter(({ weights }) => weights.length > 0);
}

function normalize(path: string): string {
  return path.replaceAll('_layer_checkpoint_dependencies', 'layers');
}

/** By name where the file has all of them (tfjs lists them in any order), else in order. */
function matchWeights(where: string, layer: LayerWeights, target: TargetLayer): StoredWeight[] {
  const at = `${where}, layer ${layer.name}`;
  if (layer.weights.length !== target.weights.length) {
    throw new ConvbaseError(
      'weights/count',
      `it has ${layer.weights.length} weights, the model's ${target.name} ${target.weights.length}`,
      { where: at, fix: 'Use weights of this very model.' },
    );
  }
  const weights = byOwnNames(layer.weights, target) ?? inKerasOrder(layer.weights, target);
  weights.forEach((weight, i) => {
    const expected = target.weights[i];
    if (expected === undefined || sameShape(weight.shape, expected.shape)) return;
    throw new ConvbaseError(
      'weights/shape',
      `${weight.path} is [${weight.shape.join(', ')}], the model's ${target.name}/${expected.name} is [${expected.shape.join(', ')}]`,
      {
        where: at,
        fix: 'Use weights of this very model, made for the same number of classes and input channels.',
      },
    );
  });
  return weights;
}

/** Every weight by its short name, one inside a nested model by `<layer>/<name>`; undefined unless all are there once. */
function byOwnNames(stored: readonly StoredWeight[], target: TargetLayer): StoredWeight[] | undefined {
  const ending = (path: string): StoredWeight[] =>
    stored.filter((weight) => `/${weight.path.replace(/:\d+$/, '')}`.endsWith(`/${path}`));
  const find = (layer: TargetLayer, inside: boolean): StoredWeight[][] =>
    layer.layers?.flatMap((inner) => find(inner, true)) ??
    layer.weights.map(({ name }) =>
      inside ? ending(`${layer.name}/${name}`) : stored.filter((weight) => weight.name === name),
    );
  const found = find(target, false);
  return found.every((candidates) => candidates.length === 1) ? found.flat() : undefined;
}

/** A legacy file lists the trained weights of a nested model before its others; those of a layer are in order anyway. */
function inKerasOrder(stored: readonly StoredWeight[], target: TargetLayer): StoredWeight[] {
  const { weights } = target;
  const places = weights.map((_, i) => i);
  if (target.layers !== undefined) {
    const rank = (i: number): number => (weights[i]?.trainable === false ? 1 : 0);
    places.sort((a, b) => rank(a) - rank(b));
  }
  const result: StoredWeight[] = [];
  places.forEach((place, i) => {
    const weight = stored[i];
    if (weight !== undefined) result[place] = weight;
  });
  return result;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, i) => extent === b[i]);
}

function missing(where: string, layer: string, names: readonly string[]): ConvbaseError {
  const some = names.slice(0, 5).join(', ');
  return new ConvbaseError(
    'weights/missing',
    `the model's layer ${layer} is not in the file (it has ${some} ..)`,
    {
      where,
      fix: 'Use weights of this very model.',
    },
  );
}
