import { readBounded } from '@convbase/base/node';
import { dirname, join } from 'node:path';
import type { Layers, Model } from './modules.ts';

/** More than any network here has. */
const MAX_BYTES = 2 ** 31;

interface ModelJson {
  readonly modelTopology: object;
  readonly weightsManifest: readonly {
    readonly paths: string[];
    readonly weights: import('@tensorflow/tfjs-core').io.WeightsManifestEntry[];
  }[];
}

/** Loads the layers-model of a `model.json`, as TensorFlow.js would from a server. */
export async function loadModel(tfl: Layers, path: string): Promise<Model> {
  const { modelTopology, weightsManifest } = JSON.parse(
    (await readBounded(path, MAX_BYTES)).toString(),
  ) as ModelJson;
  const shards = weightsManifest.flatMap(({ paths }) => paths);
  const bytes = Buffer.concat(
    await Promise.all(shards.map((shard) => readBounded(join(dirname(path), shard), MAX_BYTES))),
  );
  return tfl.loadLayersModel({
    load: () =>
      Promise.resolve({
        modelTopology,
        weightSpecs: weightsManifest.flatMap(({ weights }) => weights),
        weightData: new Uint8Array(bytes).buffer,
      }),
  });
}
