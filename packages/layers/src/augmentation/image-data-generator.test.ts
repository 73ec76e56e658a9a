import { describe, expect, it } from 'vitest';
import type { Batch, Dataset } from '../tensor/host-array.ts';
import { ImageDataGenerator, type ImageDataGeneratorConfig } from './image-data-generator.ts';
import type { TransformParameters } from './transform-parameters.ts';

const size = { height: 100, width: 200 };
const count = 4000;

/** What is drawn for many pictures. */
function draws(config: ImageDataGeneratorConfig): TransformParameters[] {
  const generator = new ImageDataGenerator(config);
  return Array.from({ length: count }, (_, i) => generator.getRandomTransform(size, 3, i));
}

/** Asserts that numbers are spread evenly over an interval: its ends, the mean and the variance. */
function expectUniform(values: readonly number[], low: number, high: number): void {
  const width = high - low;
  expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
  expect(Math.max(...values)).toBeLessThan(high);
  expect(Math.min(...values)).toBeLessThan(low + 0.01 * width);
  expect(Math.max(...values)).toBeGreaterThan(high - 0.01 * width);
  const mean = values.reduce((a, b) => a + b) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  // Five standard deviations of the mean (width / sqrt(12 n)) and of the variance (width^2 / sqrt(180 n)).
  expect(Math.abs(mean - (low + high) / 2)).toBeLessThan((5 * width) / Math.sqrt(12 * values.length));
  expect(Math.abs(variance - width ** 2 / 12)).toBeLessThan(
    (5 * width ** 2) / Math.sqrt(180 * values.length),
  );
}

describe('what ImageDataGenerator draws', () => {
  it('is evenly spread over each range', () => {
    const drawn = draws({
      rotationRange: 30,
      widthShiftRange: 0.2,
      heightShiftRange: 0.1,
      shearRange: 15,
      zoomRange: 0.25,
      channelShiftRange: 20,
      brightnessRange: [0.5, 1.25],
    });
    expectUniform(
      drawn.map(({ theta }) => theta),
      -30,
      30,
    );
    // Fractions of the side that names them.
    expectUniform(
      drawn.map(({ tx }) => tx),
      -10,
      10,
    );
    expectUniform(
      drawn.map(({ ty }) => ty),
      -40,
      40,
    );
    expectUniform(
      drawn.map(({ shear }) => shear),
      -15,
      15,
    );
    for (const zoom of [drawn.map(({ zx }) => zx), drawn.map(({ zy }) => zy)])
      expectUniform(zoom, 0.75, 1.25);
    expectUniform(
      drawn.map(({ channelShiftIntensity }) => channelShiftIntensity ?? NaN),
      -20,
      20,
    );
    expectUniform(
      drawn.map(({ brightness }) => brightness ?? NaN),
      0.5,
      1.25,
    );
  });

  it('is drawn for each parameter by itself', () => {
    const drawn = draws({ rotationRange: 1, shearRange: 1, zoomRange: 0.5 });
    const columns = [
      drawn.map(({ theta }) => theta),
      drawn.map(({ shear }) => shear),
      drawn.map(({ zx }) => 2 * (zx - 1)),
      drawn.map(({ zy }) => 2 * (zy - 1)),
    ];
    columns.forEach((a, i) => {
      columns.slice(i + 1).forEach((b) => {
        // The correlation of independent uniform numbers of [-1, 1) has standard deviation 1 / sqrt(n).
        const correlation = (3 * a.reduce((sum, v, k) => sum + v * (b[k] ?? NaN), 0)) / count;
        expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(count));
      });
      const lagged = (3 * a.slice(1).reduce((sum, v, k) => sum + v * (a[k] ?? NaN), 0)) / count;
      expect(Math.abs(lagged)).toBeLessThan(5 / Math.sqrt(count));
    });
  });

  it('mirrors half of the pictures, each way by itself', () => {
    const drawn = draws({ horizontalFlip: true, verticalFlip: true });
    const share = (test: (p: TransformParameters) => boolean): number => drawn.filter(test).length / count;
    const bound = 5 * Math.sqrt(0.25 / count);
    expect(Math.abs(share((p) => p.flipHorizontal) - 0.5)).toBeLessThan(bound);
    expect(Math.abs(share((p) => p.flipVertical) - 0.5)).toBeLessThan(bound);
    expect(Math.abs(share((p) => p.flipHorizontal && p.flipVertical) - 0.25)).toBeLessThan(bound);
    expect(draws({ verticalFlip: true }).some((p) => p.flipHorizontal)).toBe(false);
  });

  it.each([
    ['a whole number', 3, [-2, -1, -0, 0, 1, 2]],
    ['the whole number one', 1, [-0, 0]],
    ['a list of pixels', [2, 5], [-5, -2, 2, 5]],
    ['a list of fractions', [0.1, -0.25], [-25, -10, 10, 25]],
  ])('takes shifts of %s as Keras does', (_, heightShiftRange, expected) => {
    const found = new Set(draws({ heightShiftRange }).map(({ tx }) => tx));
    expect([...found].sort((a, b) => a - b)).toEqual([...new Set(expected)].sort((a, b) => a - b));
  });

  it('takes fractional shifts above 1 as pixels', () => {
    expectUniform(
      draws({ widthShiftRange: 2.5 }).map(({ ty }) => ty),
      -2.5,
      2.5,
    );
  });

  it('takes no memory for shifts that are far', () => {
    const far = draws({ widthShiftRange: 2 ** 40 }).map(({ ty }) => ty);
    expectUniform(far, -(2 ** 40), 2 ** 40);
    expect(far.every(Number.isInteger)).toBe(true);
  });

  it('zooms between two limits, and not at all between 1 and 1', () => {
    expectUniform(
      draws({ zoomRange: [0.5, 0.75] }).map(({ zx }) => zx),
      0.5,
      0.75,
    );
    expect(draws({ zoomRange: [1, 1] }).every(({ zx, zy }) => zx === 1 && zy === 1)).toBe(true);
  });

  it('is nothing where nothing is asked for', () => {
    const generator = new ImageDataGenerator();
    const { matrix, channelShift, brightness } = generator.transformOf(size, 0, 0);
    expect(matrix).toEqual([1, 0, 0, 0, 1, 0]);
    expect([channelShift, brightness]).toEqual([undefined, undefined]);
  });
});

/** Pictures that know their place, in batches of `batchSize`, in the order of `order`. */
function dataset(order: readonly number[], batchSize: number, withIndices = true): Dataset {
  return {
    batchCount: Math.ceil(order.length / batchSize),
    *batches(_, first = 0): Generator<Batch> {
      for (let begin = first * batchSize; begin < order.length; begin += batchSize) {
        const indices = order.slice(begin, begin + batchSize);
        const shape = [indices.length, 2, 3, 3];
        yield {
          x: { data: new Uint8Array(indices.length * 18), shape },
          ...(withIndices ? { indices } : {}),
        };
      }
    },
  };
}

async function transformsOf(data: Dataset, epoch: number, first?: number): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  let number = (first ?? 0) * 2;
  for await (const { x, indices } of data.batches(epoch, first)) {
    if (!('data' in x)) throw new Error('one input expected');
    expect(x.augment).toHaveLength(1);
    for (const [row, transform] of (x.augment?.[0] ?? []).entries()) {
      found.set(indices?.[row] ?? number, JSON.stringify(transform));
      number++;
    }
  }
  return found;
}

describe('ImageDataGenerator.flow', () => {
  const generator = new ImageDataGenerator({ rotationRange: 90, horizontalFlip: true, seed: 4 });

  it('draws by seed, epoch and picture alone', async () => {
    const drawn = await transformsOf(generator.flow(dataset([0, 1, 2, 3, 4], 2)), 7);
    expect(new Set(drawn.values()).size).toBe(5);
    expect(await transformsOf(generator.flow(dataset([0, 1, 2, 3, 4], 2)), 7)).toEqual(drawn);
    const other = await transformsOf(generator.flow(dataset([4, 2, 0, 1, 3], 3)), 7);
    for (const [picture, transform] of drawn) expect(other.get(picture)).toBe(transform);
    expect(await transformsOf(generator.flow(dataset([0, 1, 2, 3, 4], 2)), 8)).not.toEqual(drawn);
    const seeded = new ImageDataGenerator({ ...generator.config, seed: 5 });
    expect(await transformsOf(seeded.flow(dataset([0, 1, 2, 3, 4], 2)), 7)).not.toEqual(drawn);
  });

  it.each([true, false])('goes on in the middle of an epoch (indices: %s)', async (withIndices) => {
    const flow = generator.flow(dataset([0, 1, 2, 3, 4, 5], 2, withIndices));
    const whole = await transformsOf(flow, 1);
    expect(new Set(whole.values()).size).toBe(6);
    const rest = await transformsOf(flow, 1, 2);
    expect([...rest]).toEqual([...whole].slice(4));
  });

  it('passes counts on as they are at the time', () => {
    const source = { ...dataset([0, 1], 1), sampleCount: 2 };
    const flow = generator.flow(source);
    source.sampleCount = 1;
    expect([flow.batchCount, flow.sampleCount]).toEqual([2, 1]);
    expect('sampleCount' in generator.flow(dataset([0], 1))).toBe(false);
  });

  it('scales by 1/255 where it is to, and refuses to do so twice', async () => {
    const rescaling = new ImageDataGenerator({ rescale: 1 / 255 });
    for await (const { x } of rescaling.flow(dataset([0], 1)).batches(0)) {
      expect(x).toMatchObject({ preprocess: 'rescale' });
    }
    const x = { data: new Uint8Array(18), shape: [1, 2, 3, 3], preprocess: 'caffe' as const };
    const iterate = async (): Promise<void> => {
      for await (const batch of rescaling.flow({ batches: () => [{ x }] }).batches(0))
        expect(batch).toBeNull();
    };
    await expect(iterate()).rejects.toThrow("rescale and 'caffe'");
  });

  it.each([
    ['float32 (1, 2, 3, 3)', { data: new Float32Array(18), shape: [1, 2, 3, 3] }],
    ['uint8 (1, 18)', { data: new Uint8Array(18), shape: [1, 18] }],
  ])('refuses %s', async (what, x) => {
    const iterate = async (): Promise<void> => {
      for await (const batch of generator.flow({ batches: () => [{ x }] }).batches(0))
        expect(batch).toBeNull();
    };
    await expect(iterate()).rejects.toThrow(what);
  });
});

describe('ImageDataGenerator refuses', () => {
  it.each([
    [{ rotationRange: NaN }, 'rotationRange'],
    [{ widthShiftRange: -0.1 }, 'widthShiftRange'],
    [{ heightShiftRange: [] }, 'heightShiftRange'],
    [{ zoomRange: [1, 2, 3] }, 'zoomRange'],
    [{ brightnessRange: [1] }, 'brightnessRange'],
    [{ rescale: 0.5 }, 'rescale'],
    [{ brightnessRange: [1, 2], cval: -5 }, 'cval'],
    [{ seed: 0.5 }, 'seed'],
  ])('%o', (config, name) => {
    expect(() => new ImageDataGenerator(config as unknown as ImageDataGeneratorConfig)).toThrow(
      new RegExp(`${name} is`),
    );
  });
});
