import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { unzipSync, zipSync } from 'fflate';
import { signaturesIn } from '../../../base/src/testing/damage.ts';
import {
  among,
  damagedBytes,
  damagedJsonFile,
  damagedSafetensors,
  decode,
  encode,
  inFolder,
  noiseBehind,
  type FuzzTarget,
  type Input,
} from '../../../base/src/testing/fuzz-target.ts';
import { Classifier } from '../classifier/classifier.ts';
import type { ClassifierConfig } from '../classifier/config.ts';
import { buildHead } from '../classifier/head.ts';
import { parseJson } from '../formats/checks.ts';
import { MemorySource } from '../formats/source.ts';
import { openModelFile, writeSafetensors, type FilesInMemory } from '../formats/index.ts';
import { expectedLayers, fixture, type ExpectedLayer } from '../formats/testing/files.ts';
import { modelFromConfig, modelFromFile } from '../graph/index.ts';
import { classifierBytes, openClassifierFile } from '../save/index.ts';
import { readGoldenFile } from '../verify/golden-file.ts';
import { readLabels } from '../weights/labels.ts';

/** The readers of this package; `scratch` is a folder for their files. */
export async function fuzzTargets(scratch: string): Promise<FuzzTarget[]> {
  return [
    ...containerTargets(),
    noiseTarget(),
    safetensorsTarget(),
    tfjsTarget(),
    configTarget(),
    await classifierFolderTarget(scratch),
    await classifierFileTarget(),
    labelsTarget(scratch),
    goldenTarget(),
  ];
}

const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(fixture(name)));

/** Opens a file, reads every tensor and builds the model it describes; how many numbers are in it, and in the model. */
async function readModel(file: Uint8Array | FilesInMemory): Promise<[values: number, parameters: number]> {
  const opened = await openModelFile(file, { name: 'hostile' });
  try {
    let values = 0;
    for (const layer of opened.layers) for (const weight of layer.weights) values += weight.read().length;
    return [values, opened.config === undefined ? 0 : modelFromFile(opened).countParams()];
  } finally {
    opened.close();
  }
}

const readFile = ({ file = new Uint8Array() }: Input): Promise<[number, number]> => readModel(file);

/** What Keras says of its small models, weight by weight. */
const parametersInKeras = Object.fromEntries(
  (['mini_vgg', 'mini_inception', 'nested'] as const).map((name) => [name, countOf(expectedLayers(name))]),
);

function countOf(layers: readonly ExpectedLayer[]): number {
  return layers.reduce((sum, { layers: inner, weights }) => {
    const own = weights.map(({ shape }) => shape.reduce((size, extent) => size * extent, 1));
    return sum + (inner === undefined ? own.reduce((a, b) => a + b, 0) : countOf(inner));
  }, 0);
}

/** Keras' own files. What is in each is what Keras says of the model. */
function containerTargets(): FuzzTarget[] {
  const parameters: Record<string, number> = { ...parametersInKeras, odd: 145 };
  const files = {
    keras: ['mini_vgg.keras', 'nested.keras'],
    h5: ['mini_vgg.h5', 'nested.h5', 'mini_inception.h5', 'odd.h5'],
    'weights-h5': ['mini_vgg.weights.h5', 'nested.weights.h5'],
  };
  return Object.entries(files).map(([name, names]) => {
    const damaged = names.map((one) => {
      const original = bytesOf(one);
      return { weight: 2, arbitrary: damagedBytes(original, signaturesIn(original)) };
    });
    const configs =
      name === 'keras' ? names.map((one) => ({ weight: 1, arbitrary: damagedArchive(bytesOf(one)) })) : [];
    return {
      name,
      whole: names.map((one) => {
        const count = parameters[one.split('.')[0] ?? ''] ?? NaN;
        return {
          input: { file: bytesOf(one) },
          gives: [count, name === 'weights-h5' || one === 'odd.h5' ? 0 : count],
        };
      }),
      damaged: fc.oneof(...damaged, ...configs).map((file) => ({ file })),
      read: readFile,
      runs: 500,
    };
  });
}

/** A .keras archive of which one JSON file has damaged values. */
function damagedArchive(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const files = unzipSync(original);
  return fc.oneof(
    ...Object.entries(files)
      .filter(([name]) => name.endsWith('.json'))
      .map(([name, bytes]) =>
        damagedJsonFile(JSON.parse(decode(bytes))).map((json) =>
          zipSync({ ...files, [name]: json }, { level: 0 }),
        ),
      ),
  );
}

function noiseTarget(): FuzzTarget {
  const starts = [
    '\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0',
    'PK\x03\x04',
    '\x10\0\0\0\0\0\0\0{',
    '{"modelTopology":',
  ];
  return {
    name: 'model-noise',
    whole: [],
    damaged: noiseBehind(starts, 5000).map((file) => ({ file })),
    read: readFile,
    runs: 300,
  };
}

function safetensorsTarget(): FuzzTarget {
  const file = writeSafetensors(
    {
      'a/kernel': { shape: [2, 3], data: Float32Array.of(1, 2, 3, NaN, Infinity, 6) },
      b: { shape: [], data: Int32Array.of(7) },
    },
    { note: 'text' },
  );
  return {
    name: 'safetensors',
    whole: [{ input: { file }, gives: [7, 0] }],
    damaged: damagedSafetensors(file).map((one) => ({ file: one })),
    read: readFile,
    runs: 2000,
  };
}

function tfjsTarget(): FuzzTarget {
  const dense = { class_name: 'Dense', config: { name: 'd', units: 2, batch_input_shape: [null, 3] } };
  const weights = [
    { name: 'd/kernel', shape: [3, 2], dtype: 'float32' },
    { name: 'd/bias', shape: [2], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.1, min: -1 } },
  ];
  const model = {
    format: 'layers-model',
    modelTopology: { model_config: { class_name: 'Sequential', config: { name: 's', layers: [dense] } } },
    weightsManifest: [{ paths: ['a.bin', 'b/c.bin'], weights }],
  };
  const files = {
    'model.json': encode(JSON.stringify(model)),
    'a.bin': new Uint8Array(20),
    'b/c.bin': new Uint8Array(6),
  };
  return {
    name: 'tfjs',
    whole: [{ input: files, gives: [8, 8] }],
    damaged: fc.oneof(
      { weight: 9, arbitrary: among(files, { 'model.json': damagedJsonFile(model) }) },
      { weight: 1, arbitrary: among(files, { 'a.bin': damagedBytes(files['a.bin']) }) },
    ),
    read: readModel,
    runs: 2000,
  };
}

function configTarget(): FuzzTarget {
  const names = ['mini_vgg', 'mini_inception', 'nested', 'nested_twice', 'chapter', 'operations'];
  const configs = names.map((name): unknown =>
    JSON.parse(decode(unzipSync(bytesOf(`${name}.keras`))['config.json'])),
  );
  const parameters = names.map(
    (name) =>
      ({ ...parametersInKeras, chapter: 112 + 296 + 2064 + 17, nested_twice: 6 + 38 + 9, operations: 36 })[
        name
      ],
  );
  return {
    name: 'config',
    whole: configs.map((config, i) => ({
      input: { config: encode(JSON.stringify(config)) },
      gives: parameters[i],
    })),
    damaged: fc.oneof(...configs.map((config) => damagedJsonFile(config))).map((config) => ({ config })),
    read: ({ config }) => {
      const model = modelFromConfig(parseJson(decode(config), 'config'));
      model.summary();
      return model.countParams();
    },
    runs: 1500,
  };
}

const input = { size: [48, 48] as [number, number], preprocess: 'caffe', resize: 'nearest' } as const;

const classifierConfig: ClassifierConfig = {
  ...{ format: 'convbase-classifier', version: 1, classNames: ['a', 'b', 'c'], featureShape: [2, 1, 3] },
  ...{ base: { model: 'vgg16', weights: null, checksum: 'abc', layer: 'block5_pool' }, input },
  head: { units: 5, activation: 'relu', dropout: 0.5 },
  training: {
    ...{ optimizer: 'adam', learningRate: 1e-3, epochs: 1, batchSize: 4, seed: 0, samples: 4 },
    ...{ adapter: 'test', history: { loss: [0.5] } },
  },
};

/** Folders whose weights are damaged and whose configuration says that they are meant so, or whose values are damaged. */
async function classifierFolderTarget(scratch: string): Promise<FuzzTarget> {
  const folder = join(scratch, 'classifier');
  const { head: layers, featureShape, classNames } = classifierConfig;
  const model = buildHead({ ...layers, featureShape, classCount: classNames.length });
  await new Classifier(classifierConfig, model).save(inFolder(folder, {}));
  const json = new Uint8Array(readFileSync(join(folder, 'classifier.json')));
  const saved = JSON.parse(decode(json)) as { headFile: string };
  const head = saved.headFile;
  const tensors = new Uint8Array(readFileSync(join(folder, head)));
  const whole = { 'classifier.json': json, [head]: tensors };
  const meant = damagedSafetensors(tensors).map((bytes) => {
    const headChecksum = createHash('sha256').update(bytes).digest('hex');
    return {
      [head]: bytes,
      'classifier.json': encode(JSON.stringify({ ...saved, headChecksum })),
    };
  });
  return {
    name: 'classifier-folder',
    whole: [{ input: whole, gives: (6 + 1) * 5 + (5 + 1) * 3 }],
    damaged: fc.oneof(
      { weight: 3, arbitrary: among(whole, { 'classifier.json': damagedJsonFile(saved) }) },
      { weight: 1, arbitrary: among(whole, { [head]: damagedBytes(tensors, [0, 8, 100, 300]) }) },
      { weight: 2, arbitrary: meant },
    ),
    read: async (files) => (await Classifier.load(inFolder(folder, files))).head.countParams(),
    runs: 800,
  };
}

async function classifierFileTarget(): Promise<FuzzTarget> {
  const model = buildHead({ ...classifierConfig.head, featureShape: [2], classCount: 3 });
  const info = { classNames: ['a', 'b', 'c'], input, training: { a: [1, {}] } };
  const file = await classifierBytes(model, info);
  return {
    name: 'classifier-file',
    whole: [{ input: { file }, gives: [['a', 'b', 'c'], (2 + 1) * 5 + (5 + 1) * 3] }],
    damaged: fc
      .oneof({ weight: 3, arbitrary: damagedArchive(file) }, { weight: 1, arbitrary: damagedBytes(file) })
      .map((one) => ({ file: one })),
    read: async ({ file: bytes = new Uint8Array() }) => {
      const opened = await openClassifierFile(bytes);
      return [opened.info.classNames, opened.model.countParams()];
    },
    runs: 500,
  };
}

function labelsTarget(scratch: string): FuzzTarget {
  const lists = [['cat', 'dog'], { 0: 'cat', 1: 'dog' }, { 0: ['n1', 'cat'], 1: ['n2', 'dog'] }];
  return {
    name: 'labels',
    whole: lists.map((list) => ({ input: { labels: encode(JSON.stringify(list)) }, gives: ['cat', 'dog'] })),
    damaged: fc.oneof(...lists.map((list) => damagedJsonFile(list))).map((labels) => ({ labels })),
    read: (files) => readLabels(join(inFolder(join(scratch, 'labels'), files), 'labels')),
    runs: 1000,
  };
}

function goldenTarget(): FuzzTarget {
  const file = writeSafetensors(
    { 'one.x': { shape: [2], data: Float32Array.of(1, 2) } },
    { cases: JSON.stringify({ kind: 'features' }) },
  );
  return {
    name: 'golden',
    whole: [{ input: { file }, gives: 2 }],
    damaged: damagedSafetensors(file).map((one) => ({ file: one })),
    read: ({ file: bytes = new Uint8Array() }) => {
      const golden = readGoldenFile(new MemorySource(bytes, 'golden'), 'golden');
      return [...golden.tensors.values()].reduce((sum, entry) => sum + entry.read().length, 0);
    },
    runs: 600,
  };
}
