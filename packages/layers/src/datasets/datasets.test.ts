import { shuffledIndices } from '@convbase/base';
import { describe, expect, it } from 'vitest';
import { BatchDataset, Dataset, inputsOf, SampleDataset, type Batch, type HostArray } from '../index.ts';

/** `count` rows of two numbers, the first of which is the row's number; labels are ten times that. */
function rows(count: number): { x: HostArray; y: HostArray } {
  const x = Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? i / 2 : -1));
  return {
    x: { data: x, shape: [count, 2] },
    y: { data: Float32Array.from({ length: count }, (_, i) => 10 * i), shape: [count] },
  };
}

async function read(dataset: Dataset, epoch = 0, first = 0): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of dataset.batches(epoch, first)) batches.push(batch);
  return batches;
}

/** The numbers of the rows, batch by batch. */
const numbers = (batches: readonly Batch[]): number[][] =>
  batches.map((batch) => {
    const [x] = inputsOf(batch);
    return [...(x?.data ?? [])].filter((_, i) => i % 2 === 0);
  });

function* counting(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield i;
}

const sample = (value: number): { x: HostArray; y: number } => ({
  x: { data: Float32Array.of(value, -1), shape: [2] },
  y: 10 * value,
});

const generated = (count: number): SampleDataset => Dataset.fromGenerator(() => counting(count)).map(sample);

describe('a dataset from arrays', () => {
  it('gives its rows in batches, with labels, weights and their places', async () => {
    const weights = { data: Float32Array.of(1, 2, 3, 4, 5), shape: [5] };
    const dataset = Dataset.fromTensorSlices({ ...rows(5), sampleWeight: weights }).batch(2);
    expect([dataset.batchCount, dataset.sampleCount]).toEqual([3, 5]);
    const batches = await read(dataset);
    expect(batches[1]).toEqual({
      x: { data: Float32Array.of(2, -1, 3, -1), shape: [2, 2] },
      y: { data: Float32Array.of(20, 30), shape: [2] },
      sampleWeight: { data: Float32Array.of(3, 4), shape: [2] },
      indices: [2, 3],
    });
    expect(numbers(batches)).toEqual([[0, 1], [2, 3], [4]]);
    const whole = Dataset.fromTensorSlices(rows(5)).batch(2, { dropRemainder: true });
    expect([whole.batchCount, whole.sampleCount]).toEqual([2, 4]);
    expect(numbers(await read(whole))).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it('keeps several inputs, bytes and how they become floats', async () => {
    const bytes: HostArray = { data: Uint8Array.of(1, 2, 3), shape: [3, 1], preprocess: 'rescale' };
    const dataset = Dataset.fromTensorSlices({ x: [rows(3).x, bytes] }).skip(1);
    expect(await read(dataset.batch(2))).toEqual([
      {
        x: [
          { data: Float32Array.of(1, -1, 2, -1), shape: [2, 2] },
          { data: Uint8Array.of(2, 3), shape: [2, 1], preprocess: 'rescale' },
        ],
        indices: [1, 2],
      },
    ]);
  });

  it.each([
    ['labels of another length', { x: rows(3).x, y: rows(2).y }, 'labels/shape'],
    ['inputs of different lengths', { x: [rows(3).x, rows(2).x] }, 'batch/length'],
    ['weights of another length', { ...rows(3), sampleWeight: rows(2).y }, 'labels/weights'],
    ['several weights for a sample', { ...rows(3), sampleWeight: rows(3).x }, 'labels/weights'],
    ['no samples', rows(0), 'dataset/empty'],
    ['no inputs', { x: [] }, 'batch/empty'],
    ['a shape that is not filled', { x: { ...rows(3).x, shape: [3, 3] } }, 'array/shape'],
    ['a shape of NaN', { x: { ...rows(3).x, shape: [NaN, 2] } }, 'array/shape'],
    ['no shape', { x: { data: rows(3).x.data } as unknown as HostArray }, 'array/type'],
    ['nothing', { x: undefined as unknown as HostArray }, 'array/type'],
    ['plain lists', { x: [[1, 2] as unknown as HostArray] }, 'array/type'],
    ['doubles', { x: { data: new Float64Array(2) as unknown as Float32Array, shape: [2] } }, 'array/type'],
    [
      'clamped bytes',
      { x: { data: new Uint8ClampedArray(2) as unknown as Uint8Array, shape: [2] } },
      'array/type',
    ],
  ])('refuses %s', (_, arrays, code) => {
    expect(() => Dataset.fromTensorSlices(arrays)).toThrow(expect.objectContaining({ code }));
  });
});

describe('a dataset from a generator', () => {
  it('starts it anew in every epoch, and is told which', async () => {
    const epochs: number[] = [];
    const dataset = Dataset.fromGenerator(function* (epoch) {
      epochs.push(epoch);
      yield* counting(3);
    })
      .map(sample)
      .batch(2);
    expect([dataset.batchCount, dataset.sampleCount]).toEqual([undefined, undefined]);
    for (const epoch of [0, 1]) expect(numbers(await read(dataset, epoch))).toEqual([[0, 1], [2]]);
    expect(epochs).toEqual([0, 1]);
    expect((await read(dataset))[0]?.y).toEqual({ data: Float32Array.of(0, 10), shape: [2] });
  });

  it('takes asynchronous ones and lists, and ends them where the reader stops', async () => {
    let ended = false;
    const dataset = Dataset.fromGenerator(async function* () {
      try {
        yield* counting(100);
      } finally {
        ended = true;
      }
    });
    expect(numbers(await read(dataset.take(3).map(sample).batch(3)))).toEqual([[0, 1, 2]]);
    expect(ended).toBe(true);
    const list = Dataset.fromGenerator(() => [4, 5]).map(sample);
    for (const epoch of [0, 1]) expect(numbers(await read(list.batch(2), epoch))).toEqual([[4, 5]]);
  });

  it('refuses what can be read only once', async () => {
    const once = counting(4);
    expect(() => Dataset.fromGenerator(once as unknown as () => Iterable<number>)).toThrow(
      expect.objectContaining({ code: 'dataset/generator' }),
    );
    const dataset = Dataset.fromGenerator(() => once)
      .map(sample)
      .batch(4);
    expect(await read(dataset)).toHaveLength(1);
    await expect(read(dataset, 1)).rejects.toMatchObject({ code: 'dataset/one-time' });
    const nothing = Dataset.fromGenerator((() => 5) as unknown as () => Iterable<number>);
    await expect(read(nothing.map(sample).batch(1))).rejects.toMatchObject({ code: 'dataset/generator' });
  });
});

describe('what is done to a dataset', () => {
  it('can be had from any batch of any epoch on, whatever is done in which order', async () => {
    const double = ({ x, ...rest }: Batch): Batch => {
      const [only] = inputsOf({ x });
      return only ? { x: { ...only, data: only.data.map((v) => 2 * v) }, ...rest } : { x, ...rest };
    };
    const datasets: Record<string, Dataset> = {
      arrays: Dataset.fromTensorSlices(rows(11)).shuffle(11, 3).batch(3).map(double),
      window: Dataset.fromTensorSlices(rows(11)).skip(1).shuffle(4, 3).take(9).batch(2).shuffle(2, 5),
      generator: generated(11).shuffle(Infinity, 1).batch(3, { dropRemainder: true }).skip(1),
      take: generated(11).take(8).batch(3).take(2),
    };
    for (const dataset of Object.values(datasets)) {
      for (const epoch of [0, 1, 7]) {
        const all = await read(dataset, epoch);
        expect(all.length).toBeGreaterThan(1);
        if (dataset.batchCount !== undefined) expect(all.length).toBe(dataset.batchCount);
        for (let first = 0; first <= all.length + 1; first++) {
          expect(await read(dataset, epoch, first)).toEqual(all.slice(first));
        }
      }
    }
  });

  it('is shuffled as pictures are: by the seed and the epoch', async () => {
    for (const source of [Dataset.fromTensorSlices(rows(9)), generated(9)]) {
      const dataset = source.shuffle(9, 4).batch(9);
      for (const epoch of [0, 1]) {
        expect(numbers(await read(dataset, epoch))).toEqual([[...shuffledIndices(9, 4, epoch)]]);
      }
      const always = source.shuffle(100, 4, false).batch(9);
      expect(await read(always, 5)).toEqual(await read(always, 0));
    }
  });

  it('is shuffled within a buffer: nothing comes before it can', async () => {
    const dataset = generated(40).shuffle(5, 1).batch(40);
    const [order = []] = numbers(await read(dataset));
    expect([...order].sort((a, b) => a - b)).toEqual([...counting(40)]);
    order.forEach((value, place) => {
      expect(value).toBeLessThan(place + 5);
    });
    expect(order).not.toEqual([...counting(40)]);
    expect(numbers(await read(dataset, 1))).not.toEqual([order]);
  });

  it('is computed only for what is read', async () => {
    const seen: number[] = [];
    const dataset = Dataset.fromTensorSlices(rows(10))
      .map((each) => {
        seen.push(each.index ?? -1);
        return each;
      })
      .batch(2);
    await read(dataset, 0, 4);
    expect(seen).toEqual([8, 9]);
  });

  it('fails as its function does, and ends what it reads', async () => {
    let ended = false;
    const dataset = Dataset.fromGenerator(function* () {
      try {
        yield* counting(9);
      } finally {
        ended = true;
      }
    })
      .map(async (value) => {
        if (value === 3) throw new Error('three');
        return sample(value);
      })
      .batch(2);
    await expect(read(dataset)).rejects.toThrow('three');
    expect(ended).toBe(true);
  });

  it.each([NaN, -1, 0.5, '3' as unknown as number])('refuses the number %s', (value) => {
    const code = expect.objectContaining({ code: 'dataset/count' }) as Error;
    const dataset = generated(4);
    expect(() => dataset.batch(value)).toThrow(code);
    expect(() => dataset.take(value)).toThrow(code);
    expect(() => dataset.skip(value)).toThrow(code);
    expect(() => dataset.shuffle(value)).toThrow(code);
    if (value !== -1) expect(() => dataset.shuffle(4, value)).toThrow(code);
    expect(() => dataset.batch(0)).toThrow(code);
    expect(() => dataset.map(value as unknown as () => never)).toThrow('no function');
  });

  const plain = sample(1);
  const bytes: HostArray = { data: Uint8Array.of(1, 2), shape: [2] };
  it.each([
    ['shapes', { ...plain, x: { data: new Float32Array(3), shape: [3] } }],
    ['types', { ...plain, x: bytes }],
    ['numbers of inputs', { ...plain, x: [plain.x, plain.x] }],
    ['labels, one without', { x: plain.x }],
    ['something that is no sample', 5 as unknown as { x: HostArray }],
    ['something in other words', { xs: plain.x } as unknown as { x: HostArray }],
  ])('refuses a batch of different %s', async (_, other) => {
    const dataset = Dataset.fromGenerator(() => [plain, other]).batch(2);
    await expect(read(dataset)).rejects.toMatchObject({ code: 'dataset/sample', where: 'batch' });
  });

  it('gives datasets of batches that are datasets', () => {
    expect(generated(3).batch(1)).toBeInstanceOf(BatchDataset);
    expect(generated(3)).toBeInstanceOf(SampleDataset);
  });
});
