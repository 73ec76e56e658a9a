import { createHash } from 'node:crypto';
import { statusOf } from '@convbase/base/node';
import { kernelsHash } from '@convbase/core-gpu/node';
import type { PictureDataset } from '@convbase/data';
import type { Layer, Model, SymbolicTensor } from '@convbase/layers';

/**
 * What a prefix' outputs for some pictures depend on, as one SHA-256: the values of its weights, its layers and how
 * they are connected, the pictures' files (paths, sizes, times of last change), how they are resized and turned into
 * numbers, how many are computed at once, and the adapter and the kernels, since others round otherwise.
 *
 * Nothing where the pictures are not read from files: then nobody can tell later whether they are still the same.
 */
export async function prefixKey(
  prefix: Model,
  { set, options }: PictureDataset,
  batchSize: number,
): Promise<string | undefined> {
  const pictures = await pictureChecksum(set);
  if (pictures === undefined) return undefined;
  const { size, resize = 'nearest', preprocess = 'none' } = options;
  const { adapter, target } = prefix.gpu;
  const facts = {
    // Raised when outputs change in their last bits and no kernel did: which kernel a layer takes.
    version: 2,
    graph: describeGraph(prefix),
    // Nothing where it is float32: keys made before there was another one hold.
    ...(prefix.precision !== 'float32' && { precision: prefix.precision }),
    weights: await weightChecksum(prefix),
    pictures,
    input: [size.height, size.width, resize, preprocess],
    batchSize,
    adapter: [adapter.name, adapter.driver],
    kernels: kernelsHash,
    // A tuned table chooses other ones of them.
    ...(target.tuned && { tuned: target.tuned }),
  };
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

async function weightChecksum(model: Model): Promise<string> {
  const hash = createHash('sha256');
  for (const weight of model.weights) {
    hash.update(JSON.stringify([weight.path, weight.shape]));
    const values = await weight.read();
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}

/** Names, sizes and times of all pictures' files, each file looked at once. */
async function pictureChecksum(set: PictureDataset['set']): Promise<string | undefined> {
  const hash = createHash('sha256');
  const seen = new Map<string, string>();
  for (let index = 0; index < set.length; index++) {
    const path = set.file?.(index) ?? set.name(index);
    let state = seen.get(path);
    if (state === undefined) {
      const found = await statusOf(path);
      if (found === undefined) return undefined;
      state = JSON.stringify([path, found.size, found.mtimeMs]);
      seen.set(path, state);
      hash.update(state);
    }
    // A file may hold many pictures.
    hash.update(`\0${set.name(index)}`);
  }
  return hash.digest('hex');
}

/** The calls in order: the layer's class and settings, and which earlier outputs it takes. */
function describeGraph(model: Model): unknown {
  const places = new Map<SymbolicTensor, string>();
  model.inputs.forEach((input, index) => places.set(input, `input ${index}`));
  const calls = model.graph.nodes
    .filter((node) => node.inputs.length > 0)
    .map((node, index) => {
      node.outputs.forEach((output, place) => places.set(output, `${index} ${place}`));
      const taken = node.inputs.map((input) => places.get(input));
      return [node.layer.className, settingsOf(node.layer), taken];
    });
  return [calls, model.outputs.map((output) => places.get(output))];
}

/** A layer's public fields, which hold what it was configured with; not where it is used and what it is called. */
function settingsOf(layer: Layer): unknown {
  const { nodes: _nodes, name: _name, ...settings } = layer as Layer & Record<string, unknown>;
  return JSON.parse(JSON.stringify(settings));
}
