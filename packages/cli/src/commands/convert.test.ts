import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess, type Outcome } from '../testing/runs.ts';
import { miniModel, miniOptions, writePictures } from '../testing/samples.ts';

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-cli-'));
  await writePictures(at('train'), 12);
  await writePictures(at('test'), 6, 9);
  await run('extract', at('train'), ...miniOptions, '--out', at('features'));
  const learning = ['--epochs', '40', '--learning-rate', '0.01', '--units', '16'];
  await run('train', at('features'), ...learning, '--out', at('classifier'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr }: Outcome = await inProcess(...args);
  expect(code, stderr).toBe(0);
  return stdout;
}

async function json<T>(...args: readonly string[]): Promise<T> {
  return JSON.parse(await run(...args, '--json')) as T;
}

interface Judged {
  loss: number;
  accuracy: number;
  samples: number;
}
type Predicted = { image: string; predictions: { className: string; probability: number }[] }[];

describe('convert', () => {
  it('joins base and head of a classifier folder into one file, which judges and names alike', async () => {
    const converted = await json<{ path: string; classNames: string[] }>(
      'convert',
      at('classifier'),
      at('pets.keras'),
    );
    expect(converted).toMatchObject({ path: at('pets.keras'), classNames: ['bars', 'dots'] });
    // How long each waited for pictures is its own.
    const judge = async (classifier: string): Promise<Judged> => {
      const { loss, accuracy, samples } = await json<Judged>('evaluate', at(classifier), at('test'));
      return { loss, accuracy, samples };
    };
    const file = await judge('pets.keras');
    expect(file).toEqual(await judge('classifier'));
    expect(file.samples).toBe(12);

    const predicted = await json<Predicted>('predict', at('pets.keras'), at('test/bars'));
    expect(predicted).toHaveLength(6);
    expect(predicted[5]?.image).toBe(at('test/bars/005.bmp'));
    expect(await json<Predicted>('predict', at('classifier'), at('test/bars'))).toEqual(predicted);
  });

  it('writes what TensorFlow.js reads, and back again', async () => {
    await run('convert', miniModel, at('web'));
    const shard = expect.stringMatching(/^group1-shard1of1-[0-9a-f]{12}\.bin$/) as string;
    expect(await readdir(at('web'))).toEqual([shard, 'model.json']);
    // Another model over it takes its place as a whole.
    const before = await readdir(at('web'));
    await run('convert', at('pets.keras'), at('web'), '--force');
    expect(await readdir(at('web'))).toEqual([shard, 'model.json']);
    expect(await readdir(at('web'))).not.toEqual(before);
    await run('convert', miniModel, at('web'), '--force');
    expect(await readdir(at('web'))).toEqual(before);
    const back = await json<{ parameters: number }>('convert', at('web'), at('back.safetensors'));
    const summary = await json<{ totalParams: number }>('summary', miniModel);
    expect(back.parameters).toBe(summary.totalParams);
    expect(await json<{ totalParams: number }>('summary', at('back.safetensors'))).toEqual(summary);
  });

  it('says that only .keras keeps the classes', async () => {
    const { code, stderr } = await inProcess('convert', at('classifier'), at('head.safetensors'));
    expect(code).toBe(0);
    expect(stderr).toContain('does not say which classes it knows: bars, dots');
  });

  it('overwrites only with --force', async () => {
    await run('convert', miniModel, at('twice.keras'));
    const again = await inProcess('convert', miniModel, at('twice.keras'));
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/there is a file of that name already\n.*--force/);
    await run('convert', miniModel, at('twice.keras'), '--force');
  });

  it('refuses endings that name no format, and weights without a model', async () => {
    const legacy = await inProcess('convert', 'not-there.keras', at('legacy.h5'));
    expect(legacy.stderr).toMatch(/legacy\.h5: Keras 2's files .* are read, but not written/);
    expect((await inProcess('convert', miniModel, at('model.onnx'))).stderr).toContain('.safetensors');
    const weights = miniModel.replace('.keras', '.weights.h5');
    expect((await inProcess('convert', weights, at('new.keras'))).stderr).toContain(
      'no description of a model',
    );
    expect(await readdir(root)).not.toContain('new.keras');
  });
});
