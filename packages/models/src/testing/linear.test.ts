import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterAll, expect, test } from 'vitest';
import { ending } from '../../../base/src/testing/fuzz.ts';
import { encode, inFolder } from '../../../base/src/testing/fuzz-target.ts';
import { growsLinearly, type Growing } from '../../../base/src/testing/linear.ts';
import { Classifier } from '../classifier/index.ts';
import { parseClassifierConfig } from '../classifier/config.ts';
import { openModelFile, parseModelConfig, writeSafetensors } from '../formats/index.ts';
import { modelFromConfig, modelFromFile } from '../graph/index.ts';
import { parseClassifierInfo } from '../save/classifier-info.ts';
import { readLabels } from '../weights/labels.ts';

const scratch = mkdtempSync(join(tmpdir(), 'convbase-linear-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const keys = (n: number, value: unknown): object =>
  Object.fromEntries(times(n, (i) => [`key_${i}`, value] as const));

const history = (layer: string, node = 0) => ({
  class_name: '__keras_tensor__',
  config: { keras_history: [layer, node, 0] },
});
const input = { class_name: 'InputLayer', name: 'in', config: { name: 'in', batch_shape: [null, 8] } };
const relu = (name: string, from: object[]) => ({
  ...{ class_name: 'ReLU', name, config: { name } },
  inbound_nodes: from.map((args) => ({ args: [args], kwargs: {} })),
});
const functional = (layers: object[], last: string) => ({
  class_name: 'Functional',
  config: { name: 'm', layers, input_layers: [['in', 0, 0]], output_layers: [[last, 0, 0]] },
});
const chain = (n: number) =>
  functional(
    [input, ...times(n, (i) => relu(`r${i}`, [history(i === 0 ? 'in' : `r${i - 1}`)]))],
    `r${n - 1}`,
  );
const dense = (i: number) => ({ class_name: 'Dense', name: `d${i}`, config: { name: `d${i}`, units: 1 } });
const one = { ...input, config: { name: 'in', batch_shape: [null, 1] } };
const stack = (n: number) => ({
  class_name: 'Sequential',
  config: { name: 's', layers: [one, ...times(n, dense)] },
});

async function readAll(file: Parameters<typeof openModelFile>[0]): Promise<number> {
  const opened = await openModelFile(file, { name: 'many' });
  try {
    let values = 0;
    for (const { weights } of opened.layers) for (const weight of weights) values += weight.read().length;
    if (opened.config !== undefined) modelFromFile(opened);
    return values;
  } finally {
    opened.close();
  }
}

/** A model.json and its files. */
const tfjs = (layers: number, weights: number, shards: number) => ({
  'model.json': encode(
    JSON.stringify({
      modelTopology: stack(layers),
      weightsManifest: [
        {
          paths: times(shards, (i) => `${i}.bin`),
          weights: times(weights, (i) => ({
            name: `d${i >> 1}/${i % 2 === 0 ? 'kernel' : 'bias'}`,
            shape: i % 2 === 0 ? [1, 1] : [1],
            dtype: 'float32',
          })),
        },
      ],
    }),
  ),
  ...Object.fromEntries(times(shards, (i) => [`${i}.bin`, new Uint8Array((4 * weights) / shards)])),
});

const named = { size: [4, 4], preprocess: 'none', resize: 'nearest' };
const classifier = (changes: object): string =>
  JSON.stringify({
    ...{ format: 'convbase-classifier', version: 1, classNames: ['a', 'b'], featureShape: [3] },
    base: { model: 'm', weights: null, checksum: 'c', layer: 'l' },
    ...{ input: named, head: { units: 0, activation: 'relu', dropout: 0 }, headChecksum: 'x' },
    training: {
      ...{ optimizer: 'adam', learningRate: 1, epochs: 1, batchSize: 1, seed: 0, samples: 1 },
      ...{ adapter: 'a', history: {} },
    },
    ...changes,
  });
const fileInfo = (changes: object): string =>
  JSON.stringify({
    ...{ format: 'convbase-classifier-file', version: 1, classNames: ['a', 'b'], input: named },
    ...changes,
  });

const growing: Growing[] = [
  ['config of layers', 1500, (n) => modelFromConfig(chain(n)).layers.length],
  ['config of layers with weights', 600, (n) => modelFromConfig(stack(n)).countParams()],
  ['config of too many layers', 25_000, (n) => modelFromConfig(chain(n))],
  [
    'config of inbound nodes',
    2000,
    (n) =>
      modelFromConfig(
        functional(
          [
            input,
            relu(
              'r',
              times(n, (i) => history(i === 0 ? 'in' : 'r', Math.max(0, i - 1))),
            ),
          ],
          'r',
        ),
      ),
  ],
  [
    'config of too many inbound nodes',
    25_000,
    (n) =>
      modelFromConfig(
        functional(
          [
            input,
            relu(
              'r',
              times(n, () => history('in')),
            ),
          ],
          'r',
        ),
      ),
  ],
  [
    'config of wrong layers',
    25_000,
    (n) => parseModelConfig({ class_name: 'S', config: { layers: times(n, () => ({})) } }, 'x'),
  ],
  ['config with keys', 25_000, (n) => modelFromConfig({ ...stack(1), ...keys(n, 1) })],
  [
    'layer with unknown keys',
    10_000,
    (n) =>
      modelFromConfig({
        class_name: 'Sequential',
        config: { layers: [one, { ...dense(0), config: { name: 'd', units: 1, ...keys(n, 1) } }] },
      }),
  ],
  ['tfjs of layers', 300, (n) => readAll(tfjs(n, 2 * n, 1))],
  ['tfjs of shards', 500, (n) => readAll(tfjs(n, 2 * n, n))],
  ['tfjs of weights', 10_000, (n) => readAll(tfjs(1, 2 * n, 1))],
  ['tfjs of paths', 25_000, (n) => openModelFile({ 'model.json': tfjs(1, 2, n)['model.json'] })],
  [
    'safetensors of names',
    10_000,
    (n) =>
      readAll(
        writeSafetensors(times(n, (i) => [`l${i}/w`, { shape: [1], data: new Float32Array(1) }] as const)),
      ),
  ],
  [
    'safetensors of names in one layer',
    10_000,
    (n) =>
      readAll(
        writeSafetensors(times(n, (i) => [`l/${i}`, { shape: [1], data: new Float32Array(1) }] as const)),
      ),
  ],
  [
    'safetensors of metadata',
    20_000,
    (n) =>
      readAll(
        writeSafetensors(
          { a: { shape: [1], data: new Float32Array(1) } },
          keys(n, 'x') as Record<string, string>,
        ),
      ),
  ],
  [
    'zip of files',
    2000,
    (n) => readAll(zipSync(Object.fromEntries(times(n, (i) => [`f${i}`, new Uint8Array(1)])), { level: 0 })),
  ],
  [
    'classifier of names',
    20_000,
    (n) => parseClassifierConfig(classifier({ classNames: times(n, String) }), 'x'),
  ],
  [
    'classifier of wrong names',
    20_000,
    (n) => parseClassifierConfig(classifier({ classNames: times(n, Number) }), 'x'),
  ],
  ['classifier with keys', 20_000, (n) => parseClassifierConfig(classifier(keys(n, 1)), 'x')],
  [
    'classifier file of names',
    20_000,
    (n) => parseClassifierInfo(fileInfo({ classNames: times(n, String) }), 'x'),
  ],
  [
    'classifier file of wrong names',
    20_000,
    (n) => parseClassifierInfo(fileInfo({ classNames: times(n, Number) }), 'x'),
  ],
  ['classifier file of facts', 20_000, (n) => parseClassifierInfo(fileInfo({ training: keys(n, [1]) }), 'x')],
  [
    'classifier folder of names',
    20_000,
    (n) =>
      Classifier.load(
        inFolder(join(scratch, 'classifier'), {
          'classifier.json': encode(classifier({ classNames: times(n, String) })),
          'head.safetensors': writeSafetensors({}),
        }),
      ),
  ],
  [
    'list of labels',
    20_000,
    (n) => readLabels(join(inFolder(scratch, { l: encode(JSON.stringify(times(n, String))) }), 'l')),
  ],
  [
    'numbered labels',
    20_000,
    (n) =>
      readLabels(
        join(
          inFolder(scratch, { l: encode(JSON.stringify(Object.fromEntries(times(n, String).entries()))) }),
          'l',
        ),
      ),
  ],
  [
    'wrong labels',
    20_000,
    (n) => readLabels(join(inFolder(scratch, { l: encode(JSON.stringify(times(n, Number))) }), 'l')),
  ],
];

test.each(growing)('%s', (...one) => growsLinearly(one));

test('a hundred times as many end as soon', async () => {
  for (const config of [
    chain(100_000),
    functional(
      [
        input,
        relu(
          'r',
          times(100_000, () => history('in')),
        ),
      ],
      'r',
    ),
  ]) {
    expect((await ending(() => modelFromConfig(config))).cost.cpuSeconds).toBeLessThan(1);
  }
});
