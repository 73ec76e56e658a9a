import {
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { abandonedPath, watchFileOperations } from '@convbase/base/node';
import { openGpu, type Gpu } from '@convbase/core-gpu';
import {
  imageFolder,
  pictureBatches,
  type PictureBatchOptions,
  type PictureDataset,
  type PictureSet,
} from '@convbase/data';
import {
  Add,
  Conv2D,
  Dense,
  Flatten,
  input,
  Model,
  NameScope,
  splitFrozen,
  type Dataset,
  type FrozenSplit,
  type HostArray,
} from '@convbase/layers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stoppedEverywhere } from '../../../base/src/testing/stops.ts';
import { cachedPrefix, type CachedPrefix, type PrefixCacheOptions } from './cached-prefix.ts';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => {
  gpu.destroy();
});

let folder: string;
let pictures: string;
let cache: string;
let models: Model[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-prefix-'));
  pictures = join(folder, 'pictures');
  cache = join(folder, 'cache');
  models = [];
  for (let i = 0; i < 11; i++) await savePicture(i % 2 === 0 ? 'a' : 'b', i);
});
afterEach(async () => {
  watchFileOperations(undefined);
  for (const model of models) model.dispose();
  expect(gpu.memory().liveBytes).toBe(0);
  await rm(folder, { recursive: true });
});

/** A BMP of 8 x 8 pixels, all different from those of other numbers. */
async function savePicture(className: string, number: number): Promise<string> {
  const bytes = Buffer.alloc(54 + 8 * 8 * 3);
  bytes.write('BM');
  for (const [at, value] of [
    [2, bytes.length],
    [10, 54],
    [14, 40],
    [18, 8],
    [22, 8],
  ] as const) {
    bytes.writeUInt32LE(value, at);
  }
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let i = 54; i < bytes.length; i++) bytes[i] = (i * (number + 3)) % 251;
  const path = join(pictures, className, `${String(number).padStart(2, '0')}.bmp`);
  await mkdir(join(pictures, className), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

async function dataset(options: Partial<PictureBatchOptions> = {}): Promise<PictureDataset> {
  return pictureBatches(await imageFolder(pictures), {
    size: { height: 8, width: 8 },
    batchSize: 3,
    preprocess: 'rescale',
    shuffle: true,
    seed: 5,
    ...options,
  });
}

/** Two frozen convolutions, both seen by what is trained: the frontier is two tensors. */
function parts(seed = 1): FrozenSplit & { model: Model } {
  const names = new NameScope();
  const x = input({ shape: [8, 8, 3], names });
  const frozen = { filters: 4, kernelSize: 3, padding: 'same', activation: 'relu', trainable: false, names };
  const first = new Conv2D(frozen).apply(x);
  const second = new Conv2D(frozen).apply(first);
  const trained = new Conv2D({ filters: 4, kernelSize: 1, names }).apply(first);
  const sum = new Add({ names }).apply([trained, second]);
  const flat = new Flatten({ names }).apply(sum);
  const y = new Dense({ units: 1, activation: 'sigmoid', names }).apply(flat);
  const model = new Model({ inputs: x, outputs: y }).to(gpu);
  model.seed(seed);
  models.push(model);
  const split = splitFrozen(model);
  if (split === null) throw new Error('nothing is frozen');
  split.prefix.to(gpu);
  split.suffix.to(gpu);
  return { ...split, model };
}

const small: PrefixCacheOptions = { batchSize: 4 };

async function cached(
  options: PrefixCacheOptions = {},
  reading: Partial<PictureBatchOptions> = {},
  seed = 1,
): Promise<CachedPrefix> {
  return cachedPrefix(parts(seed).prefix, await dataset(reading), { folder: cache, ...small, ...options });
}

/** All arrays of all batches. */
async function contents(data: Dataset, epoch = 0, first = 0): Promise<unknown[]> {
  const batches: unknown[] = [];
  for await (const batch of data.batches(epoch, first)) batches.push(batch);
  return batches;
}

const partials = async (): Promise<string[]> =>
  (await readdir(cache)).filter((name) => name.endsWith('.partial'));

describe('a cached prefix', () => {
  test.each([
    ['memory', 2 ** 20],
    ['disk', 0],
  ] as const)('gives the batches the pictures would have given, from %s', async (kept, memoryBytes) => {
    const { prefix } = parts();
    const uncached = await dataset();
    const data = await cachedPrefix(prefix, uncached, { folder: cache, ...small, memoryBytes });
    expect(data.report).toMatchObject({
      rows: 11,
      computed: 11,
      found: 0,
      kept,
      skipped: [],
      bytes: 11 * 2048,
    });
    expect(data.report.flopsPerEpoch).toBe(11 * 2 * 64 * 9 * 4 * (3 + 4));
    expect([data.sampleCount, data.batchCount]).toEqual([11, 4]);
    for (const epoch of [0, 3]) {
      const batches = data.batches(epoch);
      for await (const { x, y, indices } of uncached.batches(epoch)) {
        const found = (await batches.next()).value;
        expect(found?.indices).toEqual(indices);
        expect(found?.y).toEqual(y);
        const expected = await prefix.predictOnBatch(x);
        const outputs = found?.x as HostArray[];
        expect(outputs.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
        // Computed in batches of another size, for which another kernel may be chosen.
        outputs.forEach(({ data: values }, output) => {
          const close = expected[output]?.data.every(
            (value, i) => Math.abs(value - (values[i] ?? NaN)) < 1e-6,
          );
          expect(close).toBe(true);
        });
      }
      expect((await batches.next()).done).toBe(true);
      expect(await contents(data, epoch, 2)).toEqual((await contents(data, epoch)).slice(2));
    }
    await data.close();
  });

  test('trains the suffix as the whole model would be trained', async () => {
    const losses = async (whole: boolean): Promise<number[]> => {
      const { model, suffix, prefix } = parts();
      const trained = whole ? model : suffix;
      const data = whole
        ? await dataset()
        : await cachedPrefix(prefix, await dataset(), { folder: cache, ...small });
      trained.compile({ optimizer: 'adam', loss: 'binaryCrossentropy' });
      const { history } = await trained.fit(data, { epochs: 3, validationData: data });
      suffix.dispose();
      return [...(history['loss'] ?? []), ...(history['val_loss'] ?? [])];
    };
    const expected = await losses(true);
    expect(expected).toHaveLength(6);
    (await losses(false)).forEach((loss, i) => expect(loss / (expected[i] ?? NaN)).toBeCloseTo(1, 6));
  });

  test('is found again by the next run, and computed anew when anything it depends on changes', async () => {
    const first = await cached();
    const batches = await contents(first);
    const again = await cached();
    expect(again.report).toMatchObject({ computed: 0, found: 11, damaged: undefined });
    expect(await contents(again)).toEqual(batches);
    const computed = async (...args: Parameters<typeof cached>): Promise<number> =>
      (await cached(...args)).report.computed;
    // How batches are made of it does not matter.
    expect(await computed({}, { seed: 1, batchSize: 7, shuffle: false })).toBe(0);
    expect(await computed({}, {}, 2)).toBe(11);
    expect(await computed({}, { preprocess: 'tf' })).toBe(11);
    expect(await computed({}, { resize: 'bilinear' })).toBe(11);
    const [path = ''] = (await imageFolder(pictures)).files;
    await utimes(join(pictures, path), new Date(), new Date(0));
    expect(await computed()).toBe(11);
    expect(await partials()).toEqual([]);
  });

  test('goes on where a stopped run was, bit by bit the same', async () => {
    const whole = await contents(await cached({ folder: join(folder, 'other') }));
    const controller = new AbortController();
    const stop = (done: number): void => {
      if (done >= 8) controller.abort(new Error('stop'));
    };
    await expect(cached({ signal: controller.signal, onProgress: stop })).rejects.toThrow(/stop/);
    expect(await partials()).toHaveLength(1);
    const seen: number[] = [];
    const data = await cached({ onProgress: (done) => seen.push(done) });
    expect(seen[0]).toBe(8);
    expect(data.report).toMatchObject({ rows: 11, computed: 3, found: 8 });
    expect(await contents(data)).toEqual(whole);
    expect(await partials()).toEqual([]);
  });

  test('is not disturbed by others that compute the same', async () => {
    const runs = await Promise.all([cached(), cached(), cached({ memoryBytes: 0 })]);
    const all = await Promise.all(runs.map((run) => contents(run)));
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);
    expect(await readdir(cache)).toHaveLength(1);
    await runs[2].close();
  });

  test.each<[string, (folder: string) => Promise<unknown>, RegExp]>([
    [
      'a flipped bit',
      async (path) => {
        const file = await open(join(path, 'output-1.npy'), 'r+');
        await file.write(Buffer.of(1), 0, 1, 1000);
        await file.close();
      },
      /output-1\.npy: it is not what was written/,
    ],
    [
      'a short file',
      async (path) =>
        writeFile(join(path, 'samples.npy'), (await readFile(join(path, 'samples.npy'))).subarray(0, 90)),
      /samples\.npy: it is not what was written/,
    ],
    ['a missing file', (path) => rm(join(path, 'output-0.npy')), /output-0\.npy/],
    ['a torn manifest', (path) => writeFile(join(path, 'manifest.json'), '{"format": "conv'), /not JSON/],
    ['a missing manifest', (path) => rm(join(path, 'manifest.json')), /manifest\.json/],
  ])('is computed anew after %s, and says so', async (_, damage, message) => {
    const whole = await contents(await cached());
    const [key = ''] = await readdir(cache);
    await damage(join(cache, key));
    const data = await cached();
    expect(data.report.computed).toBe(11);
    expect(data.report.damaged).toMatch(message);
    expect(await contents(data)).toEqual(whole);
    expect((await cached()).report.computed).toBe(0);
  });

  test('goes on even from files that were finished before their folder was', async () => {
    const whole = await contents(await cached());
    const [key = ''] = await readdir(cache);
    await rm(join(cache, key, 'manifest.json'));
    await rename(join(cache, key), join(cache, `${key}.nobody-0-0.partial`));
    const data = await cached();
    // Eight rows are whole batches.
    expect(data.report).toMatchObject({ found: 8, computed: 3, damaged: undefined });
    expect(await contents(data)).toEqual(whole);
  });

  test('keeps no more on disk than it may, and what was of use last', async () => {
    const all: string[] = [];
    for (const preprocess of ['rescale', 'tf', 'none'] as const) {
      await cached({}, { preprocess });
      all.push(...(await readdir(cache)).filter((key) => !all.includes(key)));
      // In the order of use, whatever the clock of the file system can tell apart.
      const at = new Date(Date.now() - 10_000 + 1000 * all.length);
      await utimes(join(cache, all.at(-1) ?? '', 'manifest.json'), at, at);
    }
    expect(all).toHaveLength(3);
    await writeFile(join(cache, `${all[0]}.nobody-0-0.partial`), 'left a month ago');
    await utimes(join(cache, `${all[0]}.nobody-0-0.partial`), new Date(0), new Date(0));
    await cached({}, { preprocess: 'rescale' });
    // Two of them take a little more than 45,000 bytes.
    await cached({ diskBytes: 60_000 }, { preprocess: 'rescale', resize: 'bilinear' });
    const left = await readdir(cache);
    expect(left).toHaveLength(2);
    expect(left).toContain(all[0]);
  });

  test('touches nothing that a link leads to, nor what else lies in its folder', async () => {
    const precious = join(folder, 'precious');
    await mkdir(precious);
    await writeFile(join(precious, 'output-0.npy'), 'precious');
    await (await cached()).close();
    const [key = ''] = await readdir(cache);
    await rm(join(cache, key), { recursive: true });
    await symlink(precious, abandonedPath(join(cache, key)));
    await mkdir(join(cache, 'holidays'));
    await writeFile(join(cache, 'holidays', 'manifest.json'), 'x'.repeat(50_000));
    // Half of somebody else's things: nothing in the name says of which process.
    const strangers = [`${key}.partial`, `${key}.mine.partial`, 'removed.partial', 'holidays.partial'];
    for (const name of strangers) {
      await mkdir(join(cache, name));
      await writeFile(join(cache, name, 'output-0.npy'), 'precious');
      await utimes(join(cache, name), new Date(0), new Date(0));
    }
    await (await cached({ diskBytes: 40_000 })).close();
    expect(await readFile(join(precious, 'output-0.npy'), 'utf8')).toBe('precious');
    expect(await readdir(precious)).toEqual(['output-0.npy']);
    expect(await readdir(cache)).toEqual(expect.arrayContaining(['holidays', ...strangers]));
    for (const name of strangers) expect(await readdir(join(cache, name))).toEqual(['output-0.npy']);
  });

  test('is computed batch by batch where there is no room for it', async () => {
    const kept = await cached();
    const data = await cached({ diskBytes: 20_000, folder: join(folder, 'small') });
    expect(data.report).toMatchObject({ kept: 'nowhere', computed: 0, bytes: 11 * 2048, flopsPerEpoch: 0 });
    expect([data.sampleCount, data.batchCount]).toEqual([11, 4]);
    const expected = kept.batches(2, 1);
    for await (const { x, y, indices } of data.batches(2, 1)) {
      const batch = (await expected.next()).value;
      expect([y, indices]).toEqual([batch?.y, batch?.indices]);
      expect(x).toHaveLength(2);
      expect((x as HostArray[])[1]?.shape).toEqual((batch?.x as HostArray[])[1]?.shape);
    }
    expect((await expected.next()).done).toBe(true);
    expect(await readdir(join(folder, 'small'))).toEqual([]);
  });

  test('leaves bad pictures out and remembers them', async () => {
    const bad = await savePicture('b', 7);
    await writeFile(bad, 'no picture');
    await expect(cached()).rejects.toMatchObject({ where: bad });
    const reading = { onBadImage: 'skip' } as const;
    const data = await cached({}, reading);
    expect(data.report).toMatchObject({ rows: 10, skipped: [bad] });
    expect([data.sampleCount, data.batchCount]).toEqual([10, 4]);
    const places = async (set: Dataset): Promise<unknown[]> =>
      (await contents(set, 2)).map((batch) => (batch as { indices: number[] }).indices);
    expect(await places(data)).toEqual(await places(await dataset(reading)));
    const again = await cached({}, reading);
    expect(again.report).toMatchObject({ computed: 0, rows: 10, skipped: [bad] });
    // A run that wants no picture left out is told of the first.
    await expect(cached()).rejects.toMatchObject({ where: bad });
  });

  test('of pictures that come from no files serves one run only', async () => {
    const { set, options } = await dataset();
    const { classNames, length } = set;
    const unnamed: PictureSet = {
      classNames,
      length,
      name: (index) => `picture ${index}`,
      label: (index) => set.label(index),
      picture: (index) => set.picture(index),
    };
    const data = await cachedPrefix(parts().prefix, pictureBatches(unnamed, options), {
      folder: cache,
      ...small,
    });
    expect(data.report.computed).toBe(11);
    expect(await contents(data)).toHaveLength(4);
    await data.close();
    expect(await readdir(cache)).toEqual([]);
  });

  test('with one output gives one array', async () => {
    const names = new NameScope();
    const x = input({ shape: [8, 8, 3], names });
    const conv = new Conv2D({ filters: 2, kernelSize: 3, trainable: false, names }).apply(x);
    const model = new Model({
      inputs: x,
      outputs: new Dense({ units: 1, names }).apply(new Flatten({ names }).apply(conv)),
    });
    models.push(model);
    const prefix = splitFrozen(model)?.prefix.to(gpu);
    if (prefix === undefined) throw new Error('nothing is frozen');
    const data = await cachedPrefix(prefix, await dataset(), { folder: cache });
    const [batch] = (await contents(data)) as { x: HostArray }[];
    expect(batch?.x.shape).toEqual([3, 72]);
  });

  test.each(['create', 'write', 'sync', 'rename', 'folder'] as const)(
    'goes on without keeping where the disk is full at a %s, whenever that is, and leaves nothing there',
    async (kind) => {
      const first = async (data: CachedPrefix): Promise<unknown> => (await data.batches(0).next()).value;
      const expected = (await first(await cached({ diskBytes: 0 }))) as { y: HostArray; x: HostArray[] };
      for (let at = 0, isDone = false; !isDone; at++) {
        await rm(cache, { recursive: true, force: true });
        let left = at;
        watchFileOperations((operation) => {
          if (operation.kind !== kind || left-- > 0) return;
          throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', errno: -28 });
        });
        const warnings: string[] = [];
        const data = await cached({ onWarning: (line) => warnings.push(line) });
        watchFileOperations(undefined);
        isDone = left >= 0;
        if (!isDone) {
          expect(warnings).toEqual([expect.stringMatching(/cannot be kept.*the disk is full/) as string]);
          expect(data.report).toMatchObject({ kept: 'nowhere', computed: 0 });
          const left = kind === 'folder' && at === 0 ? [] : await readdir(cache);
          expect(left.filter((name) => !/^\w{64}$/.test(name))).toEqual([]);
        }
        const batch = (await first(data)) as { y: HostArray; x: HostArray[] };
        expect(batch.y).toEqual(expected.y);
        expect(batch.x.map(({ shape }) => shape)).toEqual(expected.x.map(({ shape }) => shape));
        await data.close();
      }
    },
  );

  test('is the same wherever a run before was killed', async () => {
    const whole = await contents(await cached({ folder: join(folder, 'other') }));
    await stoppedEverywhere(
      async (at) => cached({ folder: join(folder, String(at)) }),
      async (at) => {
        const root = join(folder, String(at));
        // A killed process is no more: nobody runs whose name is in those of its files.
        for (const name of await readdir(root).catch(() => [])) {
          const abandoned = name.replace(/\.[\w-]+\.partial$/, '.nobody-0-0.partial');
          await rename(join(root, name), join(root, abandoned));
        }
        const data = await cached({ folder: root });
        expect(data.report.damaged).toBeUndefined();
        expect(await contents(data)).toEqual(whole);
        expect((await cached({ folder: root })).report.computed).toBe(0);
        expect((await readdir(root)).filter((name) => !/^\w{64}$/.test(name))).toEqual([]);
      },
    );
  });
});
