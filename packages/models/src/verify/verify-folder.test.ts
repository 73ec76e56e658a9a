import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openGpu, type Gpu } from '@convbase/core-gpu';
import { Model, type Shape } from '@convbase/layers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readSafetensors, writeSafetensors, type SafetensorsValue } from '../formats/index.ts';
import { loadModel } from '../graph/index.ts';
import { verifyFolder, type CaseResult, type VerifyOptions, type VerifyReport } from './index.ts';

const shipped = fileURLToPath(new URL('../../fixtures/golden', import.meta.url));
const shared = fileURLToPath(new URL('../../../../../shared', import.meta.url));

let gpu: Gpu;
let folder: string;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => {
  expect(gpu.memory().liveBuffers).toBe(0);
  gpu.destroy();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-verify-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function verify(
  path: string | undefined,
  options: Partial<VerifyOptions> = {},
): Promise<VerifyReport & { results: CaseResult[] }> {
  const results: CaseResult[] = [];
  const report = await verifyFolder(path, { gpu, onCase: (result) => results.push(result), ...options });
  return { ...report, results };
}

/** Changes a shipped file on its way into the test's folder. */
async function altered(
  name: string,
  change: (tensors: Map<string, SafetensorsValue>, cases: Record<string, unknown>[]) => void,
): Promise<void> {
  const { tensors, metadata } = readSafetensors(await readFile(join(shipped, `${name}.safetensors`)));
  const values = new Map(
    [...tensors].map(([key, entry]) => [key, { shape: entry.shape, data: entry.read().slice() }]),
  );
  const cases = JSON.parse(metadata['cases'] ?? '') as Record<string, unknown>[];
  change(values, cases);
  await writeFile(
    join(folder, `${name}.safetensors`),
    writeSafetensors(values, { cases: JSON.stringify(cases) }),
  );
}

describe('what ships with convbase', () => {
  test('passes on this adapter, every tensor judged', async () => {
    const { results, failed, cases } = await verify(undefined);
    expect(failed).toEqual([]);
    expect(cases).toBe(results.length);
    const judged = results.flatMap(({ name, relativeError }) =>
      Object.keys(relativeError).map((tensor) => `${name.slice(0, name.indexOf('/'))} ${tensor}`),
    );
    const given = /\.(x|dy|kernel|bias|gamma|beta|moving_mean|moving_variance|logits|labels|w0|grads)$/;
    const expected: string[] = [];
    for (const name of (await readdir(shipped)).filter((path) => path.endsWith('.safetensors'))) {
      const file = name.slice(0, -'.safetensors'.length);
      const { tensors } = readSafetensors(await readFile(join(shipped, name)));
      const small = file.startsWith('mini_');
      const outputs = [...tensors.keys()].filter((key) =>
        small ? key !== 'x' && key !== 'y' : !given.test(key),
      );
      expected.push(...outputs.map((key) => `${file} ${key}`));
    }
    expect(judged.sort()).toEqual(expected.sort());
  });

  test('passes in mixed precision as far as it is of models, and not as exactly', async () => {
    const { results, failed } = await verify(undefined, { precision: 'mixed' });
    expect(failed).toEqual([]);
    expect(results.map(({ name }) => name.split('/')[0])).toEqual([
      ...Array<string>(4).fill('mini_inception'),
      ...Array<string>(4).fill('mini_vgg'),
    ]);
    for (const { name, relativeError } of results.filter(({ name }) => name.endsWith('/forward'))) {
      expect(relativeError['predictions'], name).toBeGreaterThan(1e-5);
    }
  });
});

describe('a folder of other files', () => {
  test('a wrong expected value fails by name; other cases pass', async () => {
    await altered('pooling', (tensors) => {
      const y = tensors.get('avg_pool_1.y');
      if (y) y.data[0] = (y.data[0] ?? 0) + 0.1;
    });
    const { failed, cases } = await verify(folder);
    expect(failed).toEqual(['pooling/avg_pool_1']);
    expect(cases).toBe(12);
  });

  test('tensors of no case, unknown operations and outputs are failures', async () => {
    await altered('pooling', (tensors, cases) => {
      tensors.set('stray.y', { shape: [1], data: Float32Array.of(1) });
      tensors.set('max_pool_0.dstrides', { shape: [1], data: Float32Array.of(1) });
      Object.assign(cases[1] ?? {}, { op: 'median_pool' });
    });
    const { failed, results } = await verify(folder);
    expect(failed).toEqual(['pooling/max_pool_0', 'pooling/avg_pool_0', 'pooling/unknown']);
    expect(results[0]?.relativeError).toMatchObject({ 'max_pool_0.dstrides': Number.NaN });
    expect(results[1]?.error).toMatch(/no operation median_pool/);
    expect(results.at(-1)?.relativeError).toEqual({ 'stray.y': Number.NaN });
  });

  test('names of cases may begin alike and have dots in them', async () => {
    await altered('pooling', (tensors, cases) => {
      for (const role of ['x', 'y', 'dx', 'dy']) {
        const tensor = tensors.get(`avg_pool_1.${role}`);
        if (tensor) tensors.set(`avg_pool_0.5.${role}`, tensor);
      }
      cases.push({ ...cases.find(({ name }) => name === 'avg_pool_1'), name: 'avg_pool_0.5' });
    });
    expect(await verify(folder)).toMatchObject({ failed: [], cases: 13 });
  });

  test('losses that are summed, or not reduced at all', async () => {
    await altered('dense_losses', (tensors, cases) => {
      const name = 'softmax_cross_entropy_1';
      const [loss, dlogits, logits] = ['loss', 'dlogits', 'logits'].map((role) =>
        tensors.get(`${name}.${role}`),
      );
      const rows = logits?.shape[0] ?? 0;
      for (const tensor of [loss, dlogits]) {
        if (tensor)
          for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = (tensor.data[i] ?? 0) * rows;
      }
      Object.assign(cases.find((one) => one['name'] === name) ?? {}, { reduction: 'sum' });
      const other = 'sigmoid_cross_entropy_0';
      Object.assign(cases.find((one) => one['name'] === other) ?? {}, { reduction: 'none' });
    });
    const { failed, results } = await verify(folder);
    expect(failed).toEqual(['dense_losses/sigmoid_cross_entropy_0']);
    const unreduced = results.find(({ name }) => name === failed[0]);
    expect(unreduced?.relativeError).toMatchObject({ 'sigmoid_cross_entropy_0.loss': Number.NaN });
  });

  test('a model without training runs is run forward; weights may bear the name of the model around them', async () => {
    await cp(join(shipped, 'mini_vgg.keras'), join(folder, 'mini_vgg.keras'));
    const isRun = (key: string): boolean => /^(all|frozen)_/.test(key);
    await altered('mini_vgg', (tensors, cases) => {
      cases.splice(0, cases.length);
      for (const key of [...tensors.keys()]) if (isRun(key)) tensors.delete(key);
    });
    const forward = await verify(folder);
    expect(forward).toMatchObject({ failed: [], cases: 1 });
    expect(forward.results[0]?.name).toBe('mini_vgg/forward');
    await altered('mini_vgg', (tensors, cases) => {
      cases.splice(0, cases.length, ...cases.filter(({ name }) => name === 'all_sgd'));
      for (const [key, value] of [...tensors]) {
        if (!isRun(key)) continue;
        tensors.delete(key);
        const renamed = key.replace(/(after|moved)\./, '$1.mini_vgg/');
        if (key.startsWith('all_sgd.')) tensors.set(renamed, value);
      }
    });
    expect(await verify(folder)).toMatchObject({ failed: [], cases: 2 });
  });

  test('a model within a model has an activation like any layer', async () => {
    const nested = fileURLToPath(new URL('../../fixtures/nested.keras', import.meta.url));
    await cp(nested, join(folder, 'nested.keras'));
    const model = await loadModel(nested);
    const inner = model.layers.find((layer) => layer instanceof Model);
    const zeros = (shape: Shape = []): SafetensorsValue => {
      const sizes = [1, ...shape.slice(1).map((size) => size ?? 1)];
      return { shape: sizes, data: new Float32Array(sizes.reduce((product, size) => product * size, 1)) };
    };
    const tensor = `activation.${inner?.name ?? ''}`;
    const values = { x: zeros(model.input.shape), [tensor]: zeros(inner?.output.shape) };
    await writeFile(join(folder, 'nested.safetensors'), writeSafetensors(values, { cases: '[]' }));
    const { results } = await verify(folder);
    expect(results[0]?.name).toBe('nested/forward');
    expect(results[0]?.error).toBeUndefined();
    expect(results[0]?.relativeError[tensor]).toBeGreaterThanOrEqual(0);
  });

  test('a frozen weight has to keep every bit', async () => {
    for (const extension of ['keras', 'h5'])
      await cp(join(shipped, `mini_vgg.${extension}`), join(folder, `mini_vgg.${extension}`));
    await altered('mini_vgg', (tensors, cases) => {
      cases.splice(0, cases.length, ...cases.filter(({ name }) => name === 'frozen_rmsprop'));
      for (const key of [...tensors.keys()]) if (key.startsWith('all_')) tensors.delete(key);
      const kernel = tensors.get('frozen_rmsprop.after.block1_conv1/kernel');
      if (kernel) kernel.data[0] = (kernel.data[0] ?? 0) * (1 + 2 ** -23);
    });
    const { failed, results } = await verify(folder);
    expect(failed).toEqual(['mini_vgg/frozen_rmsprop']);
    expect(results.map(({ name }) => name)).toEqual(['mini_vgg/forward', 'mini_vgg/frozen_rmsprop']);
    expect(results[1]?.relativeError['frozen_rmsprop.after.block1_conv1/kernel']).toBeLessThan(1e-7);
  });

  test('without the model beside it, a training run says which file to put there', async () => {
    await cp(join(shipped, 'mini_vgg.safetensors'), join(folder, 'mini_vgg.safetensors'));
    const { failed, results } = await verify(folder);
    expect(failed).toHaveLength(4);
    expect(results[0]?.error).toMatch(/Put mini_vgg.keras there/);
  });

  test('saves what was computed under the same names', async () => {
    const save = join(folder, 'saved');
    await verify(shipped, { save, only: (file) => file === 'batch_norm' });
    const saved = readSafetensors(await readFile(join(save, 'batch_norm.safetensors')));
    const golden = readSafetensors(await readFile(join(shipped, 'batch_norm.safetensors')));
    expect(saved.tensors.size).toBe(26);
    for (const [name, { shape }] of saved.tensors) expect(golden.get(name).shape).toEqual(shape);
  });

  test('what was saved into the folder is passed over by the next run', async () => {
    await altered('pooling', () => undefined);
    await verify(folder, { save: join(folder, 'saved') });
    expect(await readdir(join(folder, 'saved'))).toEqual(['pooling.safetensors']);
    expect(await verify(folder)).toMatchObject({ cases: 12, failed: [] });
    await expect(verify(join(folder, 'saved'))).rejects.toMatchObject({ code: 'verify/empty' });
  });

  test('what is expected is never replaced by what was computed', async () => {
    await altered('pooling', () => undefined);
    await expect(verify(folder, { save: join(folder, '.') })).rejects.toMatchObject({
      code: 'verify/save',
      where: join(folder, 'pooling.safetensors'),
    });
    const save = join(folder, 'saved');
    for (let run = 0; run < 2; run++) expect(await verify(folder, { save })).toMatchObject({ failed: [] });
    expect(await verify(folder)).toMatchObject({ cases: 12, failed: [] });
  });

  test('a file that cannot be read fails by name; the others go on', async () => {
    await altered('pooling', () => undefined);
    await writeFile(join(folder, 'x.safetensors'), 'no');
    const { cases, results, failed } = await verify(folder);
    expect({ cases, failed }).toEqual({ cases: 13, failed: ['x/file'] });
    expect(results.at(-1)?.error).toContain(join(folder, 'x.safetensors'));
  });

  test('a case that expects nothing fails', async () => {
    await altered('pooling', (tensors) => {
      tensors.delete('max_pool_0.y');
      tensors.delete('max_pool_0.dx');
    });
    expect((await verify(folder)).failed).toEqual(['pooling/max_pool_0']);
  });

  test('a folder without such files is refused, and one that is not there', async () => {
    await expect(verify(folder)).rejects.toMatchObject({ code: 'verify/empty', where: folder });
    await expect(verify(join(folder, 'none'))).rejects.toMatchObject({ code: 'file/missing' });
  });
});

const models = join(shared, 'golden/models');

describe.skipIf(!existsSync(models))('full models', () => {
  const only = (wanted: string) => (file: string) => file === wanted;

  test('VGG16 with hash weights at 48x48', async () => {
    const { failed, cases } = await verify(models, { only: only('vgg16_hash_48') });
    expect({ failed, cases }).toEqual({ failed: [], cases: 1 });
  }, 300_000);

  test('InceptionV3 from its weight file at 150x150', async () => {
    const file = join(shared, 'data/weights/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5');
    const { failed, cases } = await verify(models, {
      only: only('inception_v3_150'),
      weights: { inception_v3: file },
    });
    expect({ failed, cases }).toEqual({ failed: [], cases: 1 });
  }, 300_000);

  test('a case that needs a weight file says how to name it', async () => {
    const { results } = await verify(models, { only: only('vgg19_imagenet_150') });
    expect(results[0]?.error).toMatch(/--weights vgg19=PATH/);
  });
});
