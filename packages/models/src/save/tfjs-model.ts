import { ConvbaseError } from '@convbase/base';
import type { Model, Variable } from '@convbase/layers';
import { configOf } from '../graph/config-of.ts';
import { tfjsDialect } from '../graph/dialects.ts';

/** The size that TensorFlow.js' converter gives its weight files. */
const SHARD_BYTES = 4 << 20;

/** Names a weight file by its place among so many and its bytes. */
export type ShardName = (place: string, bytes: Uint8Array) => Promise<string> | string;

/** As TensorFlow.js' converter names them. */
export const plainName: ShardName = (place) => `group1-${place}.bin`;

/** A file of the model's folder: its name, and its bytes in one piece. */
export type TfjsFile = readonly [name: string, bytes: Uint8Array];

/**
 * A model as TensorFlow.js' layers-model, file by file: the weights in shards of 4 MiB, and at last `model.json`. At no
 * time is more than a shard and a weight in memory.
 *
 * Augmentation, which happens in training only, becomes layers that do nothing; operations between layers (adding a
 * constant ..) have no counterpart there.
 *
 * @throws ConvbaseError `graph/layer` for a layer that TensorFlow.js does not have, `graph/duplicate` for two weights of
 * one name, which it could not tell apart
 */
export async function* tfjsModel(model: Model, nameOf: ShardName = plainName): AsyncGenerator<TfjsFile> {
  const topology = {
    keras_version: '2.15.0',
    backend: 'tensorflow',
    model_config: configOf(model, tfjsDialect),
  };
  const weights = weightsByPath(model);
  const bytes = [...weights.values()].reduce((sum, { size }) => sum + 4 * size, 0);
  const count = Math.max(1, Math.ceil(bytes / SHARD_BYTES));
  const paths: string[] = [];
  const named = async (piece: Uint8Array): Promise<TfjsFile> => {
    const name = await nameOf(`shard${paths.length + 1}of${count}`, piece);
    paths.push(name);
    return [name, piece];
  };

  const shard = new Uint8Array(Math.min(bytes, SHARD_BYTES));
  let filled = 0;
  for (const weight of weights.values()) {
    const values = await weight.read();
    let rest = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    while (rest.length > 0) {
      const part = rest.subarray(0, shard.length - filled);
      shard.set(part, filled);
      filled += part.length;
      rest = rest.subarray(part.length);
      if (filled < shard.length) continue;
      yield await named(shard.slice());
      filled = 0;
    }
  }
  if (filled > 0 || paths.length === 0) yield await named(shard.slice(0, filled));

  const manifest = [...weights].map(([name, { shape }]) => ({ name, shape, dtype: 'float32' }));
  const json = {
    format: 'layers-model',
    generatedBy: 'convbase',
    convertedBy: null,
    modelTopology: topology,
    weightsManifest: [{ paths, weights: manifest }],
  };
  yield ['model.json', new TextEncoder().encode(JSON.stringify(json))];
}

/** `conv1/kernel`: TensorFlow.js calls the weights of a nested model as if it were not nested. */
function weightsByPath(model: Model): Map<string, Variable> {
  const weights = new Map<string, Variable>();
  for (const weight of model.weights) {
    if (weights.has(weight.path)) {
      throw new ConvbaseError('graph/duplicate', `two of its weights are called ${weight.path}`, {
        where: model.name,
        fix: 'Give the layers of nested models names of their own, or save the model as .keras.',
      });
    }
    weights.set(weight.path, weight);
  }
  return weights;
}
