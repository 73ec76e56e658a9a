import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchNormalization, Conv2D, Dense, Flatten, input, Model } from '@convbase/layers';
import { saveModel } from '@convbase/models';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { noise } from '../../inputs.ts';
import { relativeDistance } from '../../numbers.ts';
import type { ConvolutionTask, Direction, Task, TrainTask } from '../../protocol.ts';
import { convbase } from '../convbase/convbase.ts';
import { withThreads } from '../tfjs-wasm/threads.ts';
import type { Backend } from './backend.ts';
import { prepareConvolution } from './convolution.ts';
import { loadTfjs, type Modules } from './modules.ts';
import { prepareTrain } from './train.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-tfjs-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

function backendOf(modules: Modules): Backend {
  const runner = { name: 'test', kind: 'cpu', versions: {} } as const;
  return { ...modules, runner, drain: () => Promise.resolve() };
}

async function cpu(): Promise<Backend> {
  const modules = loadTfjs('cpu');
  await modules.tf.setBackend('cpu');
  return backendOf(modules);
}

async function convbaseOutputs(task: Task): Promise<Readonly<Record<string, ArrayLike<number>>>> {
  const prepared = await convbase.prepare(task, { threads: 1 });
  await prepared.run();
  return prepared.outputs();
}

const convolution = {
  n: 2,
  h: 9,
  w: 8,
  ci: 4,
  co: 8,
  kh: 3,
  kw: 3,
  strides: [2, 2],
  padding: 'same',
} as const;

test.each(['forward', 'input-gradient', 'filter-gradient'] satisfies Direction[])(
  'a convolution, %s, is what convbase computes',
  async (direction) => {
    const task: ConvolutionTask = { kind: 'convolution', direction, convolution };
    const prepared = await prepareConvolution(await cpu(), task);
    await prepared.run();
    const { result = [] } = await prepared.outputs();
    const { result: expected = [] } = await convbaseOutputs(task);
    expect(relativeDistance(result, expected)).toBeLessThan(1e-5);
  },
);

test('training is what convbase does, with frozen normalisation by its moving statistics', async () => {
  const x = input({ shape: [6, 6, 3] });
  const a = new Conv2D({ filters: 4, kernelSize: 3, activation: 'relu', name: 'frozen' }).apply(x);
  const b = new BatchNormalization({ name: 'normalisation' }).apply(a);
  const c = new Conv2D({ filters: 4, kernelSize: 3, activation: 'relu', name: 'trained' }).apply(b);
  const flat = new Flatten().apply(c);
  const outputs = new Dense({ units: 1, activation: 'sigmoid', name: 'out' }).apply(flat);
  const model = new Model({ inputs: x, outputs });
  for (const [i, weight] of model.weights.entries()) {
    const values = noise(weight.size, i + 11);
    weight.assign(weight.path.endsWith('moving_variance') ? values.map((value) => value + 1.5) : values);
  }
  await mkdir(join(folder, 'train'));
  const path = join(folder, 'train', 'model.json');
  await saveModel(model, path);

  const task: TrainTask = {
    kind: 'train',
    input: [6, 6, 3],
    inputKind: 'pictures',
    batch: 4,
    steps: 3,
    trainableFrom: 'trained',
    learningRate: 0.01,
    momentum: 0.9,
    materials: { model: path },
  };
  const prepared = await prepareTrain(await cpu(), task);
  await prepared.run();
  const { loss = [], update = [] } = await prepared.outputs();
  const expected = await convbaseOutputs(task);
  expect(relativeDistance(loss, expected['loss'] ?? [])).toBeLessThan(1e-5);
  expect(relativeDistance(update, expected['update'] ?? [])).toBeLessThan(1e-4);
});

test('the wasm backend runs on two threads where it is helped to', async () => {
  const modules = loadTfjs('wasm');
  const threads = await withThreads(modules.tf, 2, async () => {
    expect(await modules.tf.setBackend('wasm')).toBe(true);
  });
  expect(threads).toBe(2);
  const task: ConvolutionTask = {
    kind: 'convolution',
    direction: 'forward',
    convolution: { ...convolution, h: 40, w: 40 },
  };
  const results = [];
  for (const backend of [backendOf(modules), await cpu()]) {
    await modules.tf.setBackend(results.length === 0 ? 'wasm' : 'cpu');
    const prepared = await prepareConvolution(backend, task);
    await prepared.run();
    results.push((await prepared.outputs())['result'] ?? []);
  }
  expect(relativeDistance(results[0] ?? [], results[1] ?? [])).toBeLessThan(1e-6);
});
