import { describe, expect, it } from 'vitest';
import { Dense, InputLayer, NameScope, Sequential, type Batch, type Dataset } from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import type { HostArray } from '../tensor/host-array.ts';

const array = (...shape: number[]): HostArray => ({
  data: new Float32Array(shape.reduce((size, extent) => size * extent, 1)),
  shape,
});

const good: Batch = { x: array(2, 4), y: array(2) };

/** Batches that cannot be, and the code that says so. */
const bad: readonly (readonly [what: string, batch: Batch, code: string])[] = [
  ['no samples', { x: array(0, 4), y: array(0) }, 'batch/empty'],
  ['no inputs', { x: [], y: array(2) }, 'batch/empty'],
  ['two inputs of different lengths', { x: [array(2, 4), array(3, 4)], y: array(2) }, 'batch/length'],
  ['fewer labels than samples', { x: array(4, 4), y: array(2) }, 'labels/shape'],
  ['more labels than samples', { x: array(2, 4), y: array(4) }, 'labels/shape'],
  ['no labels in an array of them', { x: array(2, 4), y: array(0) }, 'labels/shape'],
  ['fewer weights than samples', { ...good, sampleWeight: array(1) }, 'labels/weights'],
  ['a shape with half a sample', { x: { ...array(2, 4), shape: [0.5, 16] }, y: array(2) }, 'array/shape'],
  ['a shape with negative sizes', { x: { ...array(2, 4), shape: [-2, -4] }, y: array(2) }, 'array/shape'],
  ['a shape of NaN', { x: { ...array(2, 4), shape: [NaN, 4] }, y: array(2) }, 'array/shape'],
  [
    'labels of a shape that they do not fill',
    { x: array(2, 4), y: { ...array(2), shape: [1e9] } },
    'array/shape',
  ],
];

/** The second of its batches is the given one. */
const second = (batch: Batch): Dataset => ({ batchCount: 2, batches: () => [good, batch] });

describe('batches that cannot be', () => {
  const gpu = withGpu();

  function compiled(): Sequential {
    const names = new NameScope();
    const layers = [
      new InputLayer({ shape: [4], names }),
      new Dense({ units: 1, activation: 'sigmoid', name: 'd', names }),
    ];
    const model = new Sequential({ layers, name: 'net' }).to(gpu());
    model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    return model;
  }

  it.each(bad)('%s', async (what, batch, code) => {
    const model = compiled();
    const broken = second(batch);
    await expect(model.fit(broken, { epochs: 1 })).rejects.toMatchObject({
      code,
      where: expect.stringContaining('net, batch 2 of epoch 1') as string,
    });
    await expect(model.fit(second(good), { validationData: broken })).rejects.toMatchObject({ code });
    if (batch.sampleWeight === undefined)
      await expect(model.fit(broken, { classWeight: { 0: 2 } })).rejects.toMatchObject({ code });
    await expect(model.evaluate(broken)).rejects.toMatchObject({
      code,
      where: expect.stringContaining('net, batch 2') as string,
    });
    await expect(model.trainOnBatch(batch)).rejects.toMatchObject({
      code,
      where: expect.stringContaining('net') as string,
    });
    if (!code.startsWith('labels/') && !what.startsWith('labels')) {
      await expect(model.predict(broken)).rejects.toMatchObject({ code });
      await expect(model.predictOnBatch(batch.x)).rejects.toMatchObject({ code });
    }
    model.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it.each([undefined, null, 3, 'text', {}, { x: undefined }, { x: null }, { x: [undefined] }])(
    'that are no batches: %j',
    async (value) => {
      const model = compiled();
      const wrong = value as unknown as Batch;
      const code = expect.stringMatching(/^(batch|array)\/type$/) as string;
      for (const config of [{}, { classWeight: { 0: 2 } }, { stepsPerEpoch: 2 }, { validationSteps: 1 }]) {
        await expect(model.fit(second(wrong), config)).rejects.toMatchObject({ name: 'ConvbaseError' });
      }
      await expect(model.fit(second({ y: array(2), ...wrong }))).rejects.toMatchObject({ code });
      await expect(model.evaluate(second({ y: array(2), ...wrong }))).rejects.toMatchObject({ code });
      await expect(model.predict(second(wrong))).rejects.toMatchObject({ code });
      await expect(model.trainOnBatch(wrong)).rejects.toMatchObject({ name: 'ConvbaseError' });
      model.dispose();
      expect(gpu().memory().liveBuffers).toBe(0);
    },
  );

  it.each([undefined, null, 3, 'text', {}, [undefined]])('of data that is none: %j', async (value) => {
    const model = compiled();
    const x = value as HostArray;
    const error = { name: 'ConvbaseError', code: 'array/type' };
    await expect(model.predict(x)).rejects.toMatchObject(error);
    await expect(model.predictOnBatch(x)).rejects.toMatchObject(error);
    await expect(model.evaluate(x, array(2))).rejects.toMatchObject(error);
    await expect(model.fit(x, array(2))).rejects.toMatchObject(error);
    const batches = (): Batch[] => value as Batch[];
    if (!Array.isArray(value)) {
      const none = { code: 'dataset/batches' };
      await expect(model.predict({ batches })).rejects.toMatchObject(none);
      await expect(model.fit({ batches })).rejects.toMatchObject(none);
      await expect(model.fit({ batches }, { classWeight: { 0: 2 } })).rejects.toMatchObject(none);
      await expect(model.evaluate({ batches })).rejects.toMatchObject(none);
    }
    model.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it('of no samples are never predicted', async () => {
    const model = compiled();
    const none = array(0, 4);
    await expect(model.predictOnBatch(none)).rejects.toMatchObject({ code: 'batch/empty' });
    await expect(model.predict(second({ x: none }))).rejects.toMatchObject({
      code: 'batch/empty',
      where: 'net, batch 2',
    });
    await expect(model.predict(none)).rejects.toMatchObject({ code: 'dataset/empty' });
    model.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it('and numbers of epochs, steps and samples that cannot be', async () => {
    const model = compiled();
    for (const value of [NaN, -1, 1.5, Infinity]) {
      for (const name of ['epochs', 'initialEpoch', 'stepsPerEpoch', 'validationSteps']) {
        await expect(model.fit(second(good), { [name]: value })).rejects.toThrow(
          `${name} cannot be ${value}`,
        );
      }
      await expect(model.predict(array(2, 4), { batchSize: value })).rejects.toThrow(`batchSize ${value}`);
    }
    await expect(model.predict(array(2, 4), { batchSize: 0 })).rejects.toThrow('batchSize 0');
    expect((await model.fit(second(good), { epochs: 0 })).epoch).toEqual([]);
    for (const label of [2, -1, 0.5]) {
      await expect(model.fit(second(good), { classWeight: { [label]: 1 } })).rejects.toThrow(
        `there is no class ${label}`,
      );
    }
    model.dispose();
  });
});
