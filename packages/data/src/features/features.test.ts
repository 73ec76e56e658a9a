import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeNpy } from '../npy/write.ts';
import { featureBatches } from './feature-batches.ts';
import { FeatureWriter } from './feature-writer.ts';
import { Features } from './features.ts';
import { type FeatureRecipe, listingChecksum, recipeDifference } from './manifest.ts';

const recipe: FeatureRecipe = {
  base: { model: 'vgg16', weights: null, checksum: 'abc', layer: 'block5_pool' },
  input: { size: [48, 48], preprocess: 'caffe', resize: 'nearest' },
  source: { path: 'pictures', listing: listingChecksum(['a', 'b']), samples: 5 },
  classNames: ['cats', 'dogs'],
  featureShape: [1, 2],
};

const ofPictures = (samples: number): FeatureRecipe => ({
  ...recipe,
  source: { ...recipe.source, samples },
});

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-features-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

const nameOf = (sample: number): string => `picture ${sample}`;

async function write(folder: string, values: number[], labels: number[], own = recipe): Promise<void> {
  const writer = await FeatureWriter.open(folder, own);
  await writer.append(Float32Array.from(values), Int32Array.from(labels), Int32Array.from(labels.keys()));
  await writer.commit(nameOf);
}

describe('feature folders', () => {
  it('reads rows of several folders in any order', async () => {
    await write(join(root, 'a'), [1, 2, 3, 4], [0, 1]);
    await write(join(root, 'b'), [5, 6], [1]);
    const features = await Features.open(join(root, 'a'), join(root, 'b'));
    expect([...features.labels]).toEqual([0, 1, 1]);
    expect([...(await features.rows([2, 0]))]).toEqual([5, 6, 1, 2]);
    await features.close();
  });

  it('holds rows in memory where they fit, and gives the same', async () => {
    await write(join(root, 'a'), [1, 2, 3, 4], [0, 1]);
    await write(join(root, 'b'), [5, 6], [1]);
    const features = await Features.open(join(root, 'a'), join(root, 'b'));
    expect(await features.hold(6 * 4 - 1)).toBe(false);
    expect(await features.hold()).toBe(true);
    // What is on disk is of no importance any more.
    for (const name of ['a', 'b']) await writeFile(join(root, name, 'features.npy'), '');
    expect([...(await features.rows([2, 0, 1]))]).toEqual([5, 6, 1, 2, 3, 4]);
    await features.close();
  });

  it('opens folders of more pictures than a call can have arguments', async () => {
    const rows = 200_000;
    const labels = Array.from({ length: rows }, (_, i) => i % 2);
    await write(join(root, 'a'), labels, labels, { ...ofPictures(rows), featureShape: [1] });
    const features = await Features.open(join(root, 'a'));
    expect(features.rowCount).toBe(rows);
    expect([...(await features.rows([rows - 1]))]).toEqual([1]);
    await features.close();
  });

  it.each([
    ['-1 everywhere', [-1, -1, -1]],
    ['the same picture twice', [0, 1, 1]],
    ['another order', [1, 0, 2]],
    ['a picture that there is not', [0, 1, 5]],
    ['fewer than rows', [0, 1]],
  ])('refuses sample numbers that cannot be: %s', async (_, numbers) => {
    const folder = join(root, 'a');
    await write(folder, [1, 2, 3, 4, 5, 6], [0, 1, 0]);
    const path = join(folder, 'samples.npy');
    await writeNpy(path, Int32Array.from(numbers), [numbers.length]);
    await expect(Features.open(folder)).rejects.toMatchObject({ code: 'features/damaged', where: path });
    await writeNpy(path, Float32Array.of(0, 1, 2), [3]);
    await expect(Features.open(folder)).rejects.toMatchObject({ code: 'features/damaged', where: path });
    await writeNpy(path, Int32Array.of(0, 1, 2), [3]);
    await (await Features.open(folder)).close();
    // A row fewer than there are pictures, which nobody skipped.
    const manifest = join(folder, 'manifest.json');
    const text = await readFile(manifest, 'utf8');
    await writeFile(manifest, text.replace('"picture 3",', ''));
    await expect(Features.open(folder)).rejects.toMatchObject({ code: 'features/damaged', where: path });
  });

  it.runIf(process.platform !== 'win32').each(['moved', 'removed'])(
    'says at the next flush that the folder was %s',
    async (what) => {
      const folder = join(root, 'a');
      const writer = await FeatureWriter.open(folder, recipe);
      const add = (sample: number): Promise<void> =>
        writer.append(Float32Array.of(1, 2), Int32Array.of(0), Int32Array.of(sample));
      await add(0);
      await writer.flush();
      if (what === 'moved') await rename(folder, join(root, 'b'));
      else await rm(folder, { recursive: true });
      await add(1);
      await expect(writer.flush()).rejects.toMatchObject({ code: 'file/moved' });
      await expect(writer.pause()).rejects.toMatchObject({ name: 'ConvbaseError' });
      expect(existsSync(folder)).toBe(false);
    },
  );

  it.each([-1, 5])('goes on after no picture that there cannot be, such as number %d', async (last) => {
    const folder = join(root, 'a');
    const writer = await FeatureWriter.open(folder, recipe);
    await writer.append(Float32Array.of(1, 2), Int32Array.of(0), Int32Array.of(last));
    await writer.pause();
    await expect(FeatureWriter.open(folder, recipe)).rejects.toMatchObject({ code: 'features/damaged' });
  });

  it('gives batches in an order that the seed and the epoch decide', async () => {
    await write(
      join(root, 'a'),
      Array.from({ length: 20 }, (_, i) => i),
      [0, 1, 0, 1, 0, 1, 0, 1, 0, 1],
      ofPictures(10),
    );
    const features = await Features.open(join(root, 'a'));
    const run = async (
      epoch: number,
      seed: number,
    ): Promise<{ sizes: number[]; firsts: number[]; labels: number[] }> => {
      const sizes: number[] = [];
      const firsts: number[] = [];
      const labels: number[] = [];
      for await (const { x, y } of featureBatches(features, { batchSize: 4, shuffle: true, seed }).batches(
        epoch,
      )) {
        sizes.push(x.shape[0] ?? 0);
        firsts.push(...x.data.filter((_, i) => i % 2 === 0));
        labels.push(...y.data);
      }
      return { sizes, firsts, labels };
    };
    const one = await run(0, 7);
    expect(one.sizes).toEqual([4, 4, 2]);
    expect(await run(0, 7)).toEqual(one);
    expect((await run(1, 7)).firsts).not.toEqual(one.firsts);
    expect((await run(0, 8)).firsts).not.toEqual(one.firsts);
    expect([...one.firsts].sort((a, b) => a - b)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    expect(one.labels).toEqual(one.firsts.map((first) => (first / 2) % 2));
    await features.close();
  });

  it('goes on after an interruption with what was flushed, and notes skipped pictures', async () => {
    const folder = join(root, 'a');
    const first = await FeatureWriter.open(folder, recipe);
    await first.append(new Float32Array([1, 2]), new Int32Array([0]), new Int32Array([0]));
    await first.append(new Float32Array([3, 4]), new Int32Array([1]), new Int32Array([2]));
    await expect(Features.open(folder)).rejects.toThrow('is still extracting into it');
    await first.pause();
    await expect(Features.open(folder)).rejects.toMatchObject({
      code: 'features/incomplete',
      where: folder,
      message: expect.stringContaining('was interrupted') as string,
    });
    const second = await FeatureWriter.open(folder, recipe);
    expect(second.nextSample).toBe(3);
    await second.append(new Float32Array([5, 6]), new Int32Array([1]), new Int32Array([3]));
    expect((await second.commit(nameOf)).skipped).toEqual(['picture 1', 'picture 4']);
    const features = await Features.open(folder);
    expect([...(await features.rows([0, 1, 2]))]).toEqual([1, 2, 3, 4, 5, 6]);
    await features.close();
  });

  it('drops rows that a crash left in one file only', async () => {
    const folder = join(root, 'a');
    const first = await FeatureWriter.open(folder, recipe);
    await first.append(new Float32Array([1, 2]), new Int32Array([0]), new Int32Array([0]));
    await first.flush();
    await first.append(new Float32Array([3, 4]), new Int32Array([1]), new Int32Array([1]));
    // Nobody holds the lock of a process that is no more.
    await rm(join(folder, 'lock'));
    const second = await FeatureWriter.open(folder, recipe);
    expect(second.rowCount).toBe(1);
    expect(second.nextSample).toBe(1);
    await second.pause();
  });

  it('leaves nothing behind where it stops before the first row', async () => {
    const folder = join(root, 'a');
    await (await FeatureWriter.open(folder, recipe)).pause();
    expect(existsSync(folder)).toBe(false);
  });

  it('keeps out of folders with other things in them', async () => {
    await writeFile(join(root, 'notes.txt'), '');
    await expect(FeatureWriter.open(root, recipe)).rejects.toMatchObject({
      code: 'folder/in-the-way',
      where: root,
    });
    await expect(FeatureWriter.open(join(root, 'notes.txt'), recipe)).rejects.toMatchObject({
      code: 'file/kind',
    });
    expect(await readdir(root)).toEqual(['notes.txt']);
  });

  it('takes the same weights for the same model, whatever it was called', async () => {
    const moved = { ...recipe, base: { ...recipe.base, model: 'elsewhere/model.keras' } };
    expect(recipeDifference(recipe, moved, { source: true })).toBe(undefined);
    const other = { ...recipe, base: { ...moved.base, checksum: 'x' } };
    expect(recipeDifference(recipe, other, { source: true })).toBe(
      'model: "vgg16" and "elsewhere/model.keras"',
    );
  });

  it('tells precisions apart, float32 being what nothing is said of', () => {
    const float32: FeatureRecipe = { ...recipe, precision: 'float32' };
    expect(recipeDifference(recipe, float32, { source: true })).toBe(undefined);
    const mixed: FeatureRecipe = { ...recipe, precision: 'mixed' };
    expect(recipeDifference(recipe, mixed, { source: true })).toBe('precision: "float32" and "mixed"');
  });

  it('refuses to mix', async () => {
    await write(join(root, 'a'), [1, 2], [0]);
    const other = { ...recipe, base: { ...recipe.base, checksum: 'other' } };
    await expect(FeatureWriter.open(join(root, 'a'), other)).rejects.toThrow(
      /weights \(SHA-256\): "abc" and "other"/,
    );
    await expect(FeatureWriter.open(join(root, 'a'), recipe)).rejects.toMatchObject({
      code: 'features/complete',
    });
    await write(join(root, 'b'), [1, 2], [0], other);
    await expect(Features.open(join(root, 'a'), join(root, 'b'))).rejects.toMatchObject({
      code: 'features/mix',
    });
    expect(
      recipeDifference(recipe, { ...recipe, source: { ...recipe.source, listing: '' } }, { source: false }),
    ).toBe(undefined);
  });

  it('says in words which pictures are others', () => {
    const source = (change: Partial<FeatureRecipe['source']>): string | undefined => {
      const other = { ...recipe, source: { ...recipe.source, listing: 'other', ...change } };
      return recipeDifference(recipe, other, { source: true });
    };
    expect(source({ samples: recipe.source.samples + 1 })).toMatch(/^number of pictures: \d+ and \d+$/);
    expect(source({ path: 'elsewhere' })).toMatch(/^folder of pictures: ".*" and "elsewhere"$/);
    expect(source({})).toMatch(/^names of pictures: some were renamed/);
    const base = { ...recipe.base, model: 'x', checksum: 'f'.repeat(64) };
    expect(
      recipeDifference(
        { ...recipe, base },
        { ...recipe, base: { ...base, checksum: 'e'.repeat(64) } },
        { source: false },
      ),
    ).toBe('weights (SHA-256): "ffffffffffff.." and "eeeeeeeeeeee.."');
  });

  it('refuses altered folders', async () => {
    const folder = join(root, 'a');
    await write(folder, [1, 2, 3, 4], [0, 1]);
    await writeNpy(join(folder, 'labels.npy'), new Int32Array([0, 2]), [2]);
    await expect(Features.open(folder)).rejects.toThrow(/label 2 of 2 classes/);
    await writeNpy(join(folder, 'labels.npy'), new Int32Array([0]), [1]);
    await expect(Features.open(folder)).rejects.toThrow(/1 labels for 2 features/);
    const manifest = join(folder, 'manifest.json');
    await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('"convbase-features"', '"else"'));
    await expect(Features.open(folder)).rejects.toMatchObject({ code: 'features/manifest', where: manifest });
    await expect(Features.open(join(root, 'none'))).rejects.toMatchObject({ code: 'file/missing' });
  });
});
