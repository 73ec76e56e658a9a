import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOCK_FILE, lockFolder } from '@convbase/base/node';
import fc from 'fast-check';
import {
  Dense,
  EarlyStopping,
  NameScope,
  ReduceLROnPlateau,
  Sequential,
  type Callback,
} from '@convbase/layers';
import { writeSafetensors } from '@convbase/models';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { damagedJson, jsonDamages } from '../../../base/src/testing/damaged-json.ts';
import {
  among,
  damagedBytes,
  damagedJsonFile,
  damagedSafetensors,
  damagedText,
  decode,
  encode,
  inFolder,
  type FuzzTarget,
  type Input,
} from '../../../base/src/testing/fuzz-target.ts';
import { BestWeights } from '../checkpoint/best-weights.ts';
import { ownJson, readCheckpoint, writeCheckpoint, type StageRecord } from '../checkpoint/index.ts';
import { csvLogger, historyFile, jsonLines } from '../logs/index.ts';
import { prefixFiles } from '../prefix/manifest.ts';
import { openRows } from '../prefix/rows.ts';
import { parseRecipe } from '../recipe/index.ts';
import { RunFolder, type RunRecord } from '../run/run-folder.ts';

/** The readers of this package; `scratch` is a folder for their files. */
export async function fuzzTargets(scratch: string): Promise<FuzzTarget[]> {
  return [
    recipeTarget(),
    await checkpointTarget(scratch),
    bestWeightsTarget(scratch),
    runTarget(scratch),
    historyTarget(),
    prefixTarget(scratch),
    await lockTarget(scratch),
  ];
}

const recipeFile = new URL('../../recipes/catsdogs-vgg16-finetune-150.yaml', import.meta.url);
const recipeText = readFileSync(recipeFile, 'utf8');

/** What YAML reads as more than a word. */
const yamlWords = [
  ...[
    '&a ',
    '*a ',
    '<<: *a',
    '!!binary ',
    '!!float ',
    '!a ',
    '!!set ',
    '? ',
    '- ',
    ': ',
    '{',
    '}',
    '[',
    ']',
    ',',
  ],
  ...[
    '"',
    "'",
    '|\n',
    '>-\n',
    '#',
    '---\n',
    '...\n',
    '%YAML 9.9\n',
    '\t',
    '\n',
    '\n  ',
    '\r',
    '\0',
    '\ufeff',
    '\\',
  ],
  ...['null', '.nan', '.inf', '1e999', '0x', '__proto__: ', 'stages:\n', '~', '@', '`'],
];

function recipeTarget(): FuzzTarget {
  const recipe: unknown = parse(recipeText);
  const values = jsonDamages.map((list) => damagedJson(recipe, list));
  return {
    name: 'recipe',
    whole: [
      { input: { recipe: encode(recipeText) }, gives: ['head', 'finetune'] },
      { input: { recipe: encode(JSON.stringify(recipe)) }, gives: ['head', 'finetune'] },
    ],
    damaged: fc
      .oneof(
        { weight: 3, arbitrary: damagedText(recipeText, yamlWords) },
        { weight: 1, arbitrary: damagedBytes(encode(recipeText)) },
        {
          weight: 2,
          // What no reader of JSON would let through is given as it is.
          arbitrary: values.map((text) =>
            encode(text.includes('[[[[[[') ? text : stringify(JSON.parse(text))),
          ),
        },
        { weight: 1, arbitrary: values.map(encode) },
        { weight: 1, arbitrary: fc.string({ maxLength: 500 }).map(encode) },
      )
      .map((text) => ({ recipe: text })),
    read: ({ recipe: text }) => parseRecipe(decode(text), 'recipe').stages.map(({ name }) => name),
    runs: 1200,
  };
}

const stageRecord: StageRecord = {
  ...{ name: 'head', firstEpoch: 0, epochs: 2, seconds: 1.5 },
  best: { monitor: 'val_loss', epoch: 1, value: 0.25 },
  logs: { loss: 0.5, val_loss: null },
  test: null,
  trainable: { variables: 4, parameters: 10, of: 20 },
  frozen: { layers: 3, cached: true },
};

const history = { epoch: [0, 1], history: { loss: [0.5, 0.25], val_loss: [null, 1] } };

/** Everything that a run gives the state in its checkpoint to. */
function callbacksOf(folder: string): Callback[] {
  return [
    historyFile(join(folder, 'history.json')),
    csvLogger(join(folder, 'history.csv')),
    jsonLines(join(folder, 'log.jsonl')),
    new EarlyStopping({ patience: 2 }),
    new ReduceLROnPlateau({ patience: 2 }),
  ];
}

async function checkpointTarget(scratch: string): Promise<FuzzTarget> {
  const folder = join(scratch, 'checkpoint');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'last.safetensors');
  const state = { wait: '1', best: '0.5', bestEpoch: '0', stoppedEpoch: '0' };
  await writeCheckpoint(path, {
    ...{ base: 'abc', adapter: 'some adapter', done: [stageRecord], stopped: false, seconds: 0.75 },
    position: { epoch: 2, batch: 5, totals: { samples: 40, sums: [1065353216, 3], chances: [40] } },
    training: {
      tensors: { 'weights/a/kernel': { shape: [2, 1], data: Float32Array.of(1, -0) } },
      numbers: { iterations: 7, 'random/dropout': 12 },
    },
    others: { '3/b/bias': { shape: [1], data: Float32Array.of(NaN) } },
    callbacks: {
      historyFile: { json: history },
      csvLogger: { json: 'epoch,loss\r\n0,0.5\r\n' },
      jsonLines: { json: '{"epoch":0}\n' },
      EarlyStopping: { json: state, tensors: { best: { shape: [1], data: Float32Array.of(0.1) } } },
      ReduceLROnPlateau: { json: { wait: '1', best: '0.5', cooldown: '0' } },
    },
  });
  const file = new Uint8Array(readFileSync(path));
  return {
    name: 'checkpoint',
    whole: [{ input: { 'last.safetensors': file }, gives: ['head', 2, 5, 40, 1, 7, 2, 1] }],
    damaged: damagedSafetensors(file).map((bytes) => ({ 'last.safetensors': bytes })),
    read: async (input) => {
      const read = await readCheckpoint(join(inFolder(folder, input), 'last.safetensors'));
      if (read === undefined) throw new Error('there is none');
      for (const callback of callbacksOf(folder)) {
        const found = Object.entries(read.callbacks).find(
          ([name]) => name.toLowerCase() === callback.name?.toLowerCase(),
        );
        if (found !== undefined) await callback.setState?.(found[1]);
      }
      const { position, training, others } = read;
      return [
        ...read.done.map(({ name }) => name),
        ...[position.epoch, position.batch, position.totals?.samples, position.totals?.chances.length],
        training.numbers['iterations'],
        Object.values(training.tensors).reduce((sum, { data }) => sum + data.length, 0),
        Object.values(others).reduce((sum, { data }) => sum + data.length, 0),
      ];
    },
    runs: 1500,
  };
}

function bestWeightsTarget(scratch: string): FuzzTarget {
  const folder = join(scratch, 'best');
  const names = new NameScope();
  const layers = [new Dense({ units: 2, name: 'd', names })];
  const model = new Sequential({ inputShape: [3], layers, name: 'm' });
  const record = { stage: 'head', monitor: 'val_loss', epoch: 3, value: 0.5 };
  const file = writeSafetensors(
    {
      'weights/d/kernel': { shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      'weights/d/bias': { shape: [2], data: Float32Array.of(7, 8) },
    },
    { best: JSON.stringify(record) },
  );
  return {
    name: 'best-weights',
    whole: [{ input: { 'best.safetensors': file }, gives: [3, 1, 2, 3, 4, 5, 6, 7, 8] }],
    damaged: damagedSafetensors(file).map((bytes) => ({ 'best.safetensors': bytes })),
    read: async (input) => {
      const path = join(inFolder(folder, input), 'best.safetensors');
      const found = await new BestWeights(path, model, 'head', 'val_loss').restore();
      const values = await Promise.all(model.weights.map((weight) => weight.read()));
      return found === undefined ? undefined : [found.epoch, ...values.flatMap((one) => [...one])];
    },
    runs: 1000,
  };
}

const runRecord: RunRecord = {
  ...{ format: 'convbase-run', version: 1, name: 'r', status: 'finished', data: 'pets' },
  ...{ checksums: { data: 'a', base: 'b' }, adapter: 'some adapter', classNames: ['a', 'b'] },
  samples: { train: 10, validation: 4, test: 4 },
  stages: [stageRecord],
  seconds: 4,
  input: { seconds: 3, waited: 1, between: 0.5, bottleneck: 'input' },
  result: {
    test: { on: 'test', samples: 4, loss: 0.5, accuracy: 1 },
    sweep: [{ layer: 'l', features: 8, epochs: 2, logs: { loss: 1 }, test: null }],
    classifier: 'classifier.keras',
  },
};

function runTarget(scratch: string): FuzzTarget {
  const whole = {
    'run.json': encode(JSON.stringify(runRecord, undefined, 2)),
    'recipe.yaml': encode(recipeText),
  };
  return {
    name: 'run',
    whole: [{ input: whole, gives: ['r', 1, 2] }],
    damaged: fc.oneof(
      { weight: 4, arbitrary: among(whole, { 'run.json': damagedJsonFile(runRecord, 2) }) },
      { weight: 1, arbitrary: among(whole, { 'recipe.yaml': damagedText(recipeText, yamlWords) }) },
    ),
    read: async (input) => {
      const found = await new RunFolder(inFolder(join(scratch, 'run'), input)).read();
      return found && [found.record.name, found.record.stages.length, found.recipe.stages.length];
    },
    runs: 800,
    deep: 15,
  };
}

function historyTarget(): FuzzTarget {
  return {
    name: 'history',
    whole: [{ input: { history: encode(JSON.stringify(history)) }, gives: history }],
    damaged: damagedJsonFile(history).map((text) => ({ history: text })),
    read: async ({ history: text }) => {
      const file = historyFile('history.json');
      await file.setState?.({ json: ownJson(z.unknown(), decode(text), 'history/format', 'history') });
      return file.data;
    },
    runs: 800,
    deep: 8,
  };
}

/** Folders whose files are damaged and whose manifest says that they are meant so, or whose manifest is damaged. */
function prefixTarget(scratch: string): FuzzTarget {
  const npy = (descr: string, shape: string, values: Float32Array | Int32Array): Uint8Array => {
    const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117) + '\n';
    const start = Buffer.from('\x93NUMPY\x01\0\x76\0', 'latin1');
    return new Uint8Array(Buffer.concat([start, Buffer.from(header), new Uint8Array(values.buffer)]));
  };
  const data = {
    [prefixFiles.output(0)]: npy('<f4', '(2, 3)', Float32Array.of(1, 2, 3, 4, 5, 6)),
    [prefixFiles.output(1)]: npy('<f4', '(2, 1, 2)', Float32Array.of(7, 8, 9, 10)),
    [prefixFiles.samples]: npy('<i4', '(2,)', Int32Array.of(0, 2)),
  };
  const manifestOf = (files: Input): object => ({
    ...{ format: 'convbase-prefix', version: 1, key: 'key', rows: 2, shapes: [[3], [1, 2]] },
    skipped: [{ index: 1, name: 'b.jpg' }],
    files: Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [
        name,
        { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
      ]),
    ),
  });
  const withManifest = (files: Input): Input => ({
    ...files,
    [prefixFiles.manifest]: encode(JSON.stringify(manifestOf(files))),
  });
  const damagedData = Object.entries(data).map(([name, bytes]) => [
    name,
    damagedBytes(bytes, [6, 8, 60, 70, 80]),
  ]);
  return {
    name: 'prefix',
    whole: [{ input: withManifest(data), gives: [0, 2, 4, 5, 6, 9, 10, 1, 2, 3, 7, 8] }],
    damaged: fc.oneof(
      {
        weight: 2,
        arbitrary: damagedJsonFile(manifestOf(data)).map((json) => ({
          ...data,
          [prefixFiles.manifest]: json,
        })),
      },
      {
        weight: 1,
        arbitrary: among(
          data,
          Object.fromEntries(damagedData) as Record<string, fc.Arbitrary<Uint8Array>>,
        ).map(withManifest),
      },
    ),
    read: async (input) => {
      const folder = inFolder(join(scratch, 'prefix'), input);
      const rows = await openRows(folder, 'key', 1e9);
      const onDisk = await openRows(folder, 'key', 0);
      try {
        const numbers = Array.from(rows.samples, (_, row) => row).reverse();
        const read = await Promise.all(numbers.map((row) => rows.read([row])));
        await onDisk.read(numbers);
        return [...rows.samples, ...read.flatMap((outputs) => outputs.flatMap((one) => [...one.data]))];
      } finally {
        await rows.close();
        await onDisk.close();
      }
    },
    runs: 1000,
  };
}

/** A lock whose process is no more is taken; one that is nobody's is not. */
async function lockTarget(scratch: string): Promise<FuzzTarget> {
  const folder = inFolder(join(scratch, 'lock'), {});
  const release = await lockFolder(folder);
  const mine = JSON.parse(readFileSync(join(folder, LOCK_FILE), 'utf8')) as object;
  await release();
  // No system gives so high a number to a process.
  const holder = { ...mine, pid: 2 ** 30 };
  return {
    name: 'lock',
    whole: [{ input: { [LOCK_FILE]: encode(JSON.stringify(holder)) }, gives: 'taken' }],
    damaged: damagedJsonFile(holder).map((lock) => ({ [LOCK_FILE]: lock })),
    read: async (input) => {
      const done = await lockFolder(inFolder(folder, input));
      await done();
      return 'taken';
    },
    runs: 500,
    deep: 15,
  };
}
