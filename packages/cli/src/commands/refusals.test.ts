import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../testing/runs.ts';
import { headFile, miniModel, miniOptions, writeDigits, writePictures } from '../testing/samples.ts';

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);
const fixture = (name: string): string => join(dirname(miniModel), name);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-cli-'));
  await writePictures(at('pictures'), 4);
  await inProcess('extract', at('pictures'), ...miniOptions, '--out', at('features'));
  await inProcess('train', at('features'), '--epochs', '1', '--units', '4', '--out', at('classifier'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

/** Runs a command that must fail with a code, and checks that it says so for people and programs. */
async function refused(code: string, args: readonly string[]): Promise<string> {
  const outcome = await inProcess(...args, '--json');
  expect(outcome.stderr).toMatch(/^error: /m);
  expect(outcome.stderr).not.toContain('a fault in convbase itself');
  const { error } = JSON.parse(outcome.stdout) as { error: { code: string; message: string } };
  expect(error.code).toBe(code);
  expect(outcome.stderr).toContain(error.message);
  expect(outcome.code).toBe(code.startsWith('usage/') ? 2 : 1);
  return error.message;
}

/** As `refused`, before a GPU was opened, which is slow and prints its name. */
async function refusedAtOnce(code: string, args: readonly string[]): Promise<string> {
  expect((await inProcess(...args)).stderr).not.toContain('adapter:');
  return refused(code, args);
}

describe('options that would do nothing are refused', () => {
  const nothing = (...args: string[]): Promise<string> => refusedAtOnce('usage/option', args);

  it('train, where all sources are features', async () => {
    const train = ['train', at('features'), '--out', at('trained')];
    expect(await nothing(...train, '--size', '150', '--model', 'vgg16')).toContain(
      '--model, --size would do nothing',
    );
    for (const option of [
      ['--preprocess', 'caffe'],
      ['--layer', 'x'],
      ['--limit', '2'],
      ['--on-bad-image', 'skip'],
    ]) {
      expect(await nothing(...train, ...option)).toContain(option[0]);
    }
    await nothing(...train, '--validation', at('features'), '--resize', 'nearest');
    expect(await readdir(root)).not.toContain('trained');
  });

  it('evaluate on features', async () => {
    const message = await nothing(
      'evaluate',
      at('classifier'),
      at('features'),
      '--limit',
      '2',
      '--weights',
      'x.h5',
    );
    expect(message).toContain('--weights, --limit');
  });

  it('but not where there are pictures, too', async () => {
    const { stderr } = await inProcess(
      ...[
        'train',
        at('features'),
        at('pictures'),
        ...miniOptions,
        '--limit',
        '4',
        '--epochs',
        '1',
        '--out',
        at('both'),
      ],
    );
    expect(stderr).toContain('epoch 1/1');
  });
});

describe('summary refuses', () => {
  it('features, and says what they are', async () => {
    const message = await refused('usage/features', ['summary', at('features')]);
    expect(message).toMatch(/holds features: what .*mini_vgg\.keras made of 8 pictures of bars, dots/);
    expect(message).toContain(`convbase train ${at('features')}`);
  });
});

describe('extract refuses', () => {
  const extract = (folder: string, ...options: string[]): string[] => {
    return ['extract', folder, ...miniOptions, '--out', at('new'), ...options];
  };

  it('folders without pictures of several classes', async () => {
    await refused('file/missing', extract(at('nowhere')));
    await mkdir(at('empty'));
    await refused('data/no-classes', extract(at('empty')));
    await cp(at('pictures/bars'), at('single/bars'), { recursive: true });
    await refused('data/one-class', extract(at('single')));
    await mkdir(at('single/dots'));
    await refused('data/empty-class', extract(at('single')));
    expect(await readdir(root)).not.toContain('new');
  });

  it('pictures that cannot be read, or skips them', async () => {
    await cp(at('pictures'), at('bad'), { recursive: true });
    await writeFile(at('bad/bars/000.bmp'), 'no picture');
    expect(await refused('picture/format', extract(at('bad')))).toContain(at('bad/bars/000.bmp'));
    expect(await readdir(root)).not.toContain('new');
    const skip = [
      'extract',
      at('bad'),
      ...miniOptions,
      '--out',
      at('skipped'),
      '--on-bad-image',
      'skip',
      '--json',
    ];
    const { code, stdout, stderr } = await inProcess(...skip);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ rows: 7, skipped: [at('bad/bars/000.bmp')] });
    expect(stderr).toContain(`skipped: ${at('bad/bars/000.bmp')}`);
    for (const folder of ['bars', 'dots'])
      for (const name of await readdir(at('bad', folder))) await writeFile(at('bad', folder, name), '');
    await refused('data/all-bad', [...extract(at('bad')), '--on-bad-image', 'skip']);
  });

  it('models, layers and weights that do not exist or do not fit', async () => {
    await refused('model/unknown', extract(at('pictures'), '--model', 'vgg17'));
    const typo = await refused('base/layer', extract(at('pictures'), '--layer', 'block1_pol'));
    expect(typo).toContain('block1_pool');
    const weights = ['--model', 'vgg16', '--weights'];
    await refused('file/missing', extract(at('pictures'), ...weights, at('nowhere.h5')));
    const wrong = await refused('weights/shape', extract(at('pictures'), ...weights, miniModel));
    expect(wrong).toContain('block1_conv1');
    await refused('base/weights', extract(at('pictures'), '--weights', fixture('mini_vgg.h5')));
    await refused('model/no-config', extract(at('pictures'), '--model', fixture('mini_vgg.weights.h5')));
    expect(await readdir(root)).not.toContain('new');
  });

  it('truncated and altered model files', async () => {
    const whole = await readFile(miniModel);
    await writeFile(at('cut.keras'), whole.subarray(0, whole.length / 2));
    const message = await refused('file/malformed', extract(at('pictures'), '--model', at('cut.keras')));
    expect(message).toContain('cut.keras');
    const h5 = await readFile(fixture('mini_vgg.h5'));
    await writeFile(at('cut.h5'), h5.subarray(0, h5.length / 2));
    expect((await inProcess(...extract(at('pictures'), '--model', at('cut.h5')))).stderr).toMatch(
      /^error: .*cut/,
    );
    await writeFile(at('text.keras'), 'not a model');
    expect((await inProcess(...extract(at('pictures'), '--model', at('text.keras')))).code).toBe(1);
  });

  it('sizes that are too small or too large, and files that do not say what they need', async () => {
    await refused('layer/shape', extract(at('pictures'), '--size', '1'));
    await refused('data/batch-size', extract(at('pictures'), '--size', '40000'));
    await refused('usage/preprocess', extract(at('pictures'), '--preprocess', 'default'));
    expect(await readdir(root)).not.toContain('new');
  });

  it('places where something else is', async () => {
    await writeFile(at('file'), '');
    await refused('file/kind', extract(at('pictures'), '--out', at('file')));
    await refusedAtOnce('folder/in-the-way', extract(at('pictures'), '--out', at('pictures')));
    expect(await readdir(at('pictures'))).toEqual(['bars', 'dots']);
    await refusedAtOnce('features/mix', extract(at('pictures'), '--out', at('features'), '--size', '24'));
    const fewer = await refusedAtOnce(
      'features/mix',
      extract(at('pictures'), '--out', at('features'), '--limit', '4'),
    );
    expect(fewer).toContain('made in another way (number of pictures: 8 and 4)');
    await refused('file/kind', extract(at('pictures'), '--out', at('file/below')));
  });

  it('damaged MNIST files', async () => {
    await writeDigits(at('digits'), 10, 10);
    await rm(at('digits/t10k-labels-idx1-ubyte'));
    await refused('idx/missing', extract(at('digits')));
    await writeDigits(at('digits'), 10, 10);
    const images = await readFile(at('digits/train-images-idx3-ubyte'));
    await writeFile(at('digits/train-images-idx3-ubyte'), images.subarray(0, 1000));
    await refused('idx/damaged', extract(at('digits')));
  });
});

describe('train refuses', () => {
  const train = (...args: string[]): string[] => ['train', ...args, '--epochs', '1', '--out', at('trained')];

  it('what it cannot train on', async () => {
    await refused('file/missing', train(at('nowhere')));
    await refusedAtOnce('usage/model', train(at('pictures')));
    await refused('data/no-classes', train(at('classifier')));
    await cp(at('pictures'), at('first-bad'), { recursive: true });
    await writeFile(at('first-bad/bars/000.bmp'), '');
    await refused('picture/empty', [...train(at('first-bad')), ...miniOptions]);
    await refused('file/missing', [...train(at('features')), '--validation', at('nowhere')]);
    expect(await readdir(root)).not.toContain('trained');
  });

  it('features that were made in different ways', async () => {
    const other = ['extract', at('pictures'), ...miniOptions, '--layer', 'block1_pool', '--out', at('other')];
    expect((await inProcess(...other)).code).toBe(0);
    await refusedAtOnce('features/mix', train(at('features'), at('other')));
    await refusedAtOnce('features/mix', [...train(at('features')), '--validation', at('other')]);
    await refusedAtOnce('features/mix', ['evaluate', at('classifier'), at('other')]);
  });

  it('altered features', async () => {
    await cp(at('features'), at('altered'), { recursive: true });
    const file = at('altered/features.npy');
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, bytes.length - 100));
    await refused('npy/damaged', train(at('altered')));
    await writeFile(at('altered/manifest.json'), '{}');
    await refused('features/manifest', train(at('altered')));
  });

  it('places where something else is, before anything is computed', async () => {
    const place = (out: string): string[] => ['train', at('features'), '--out', out];
    await refused('folder/in-the-way', place(at('features')));
    await refused('folder/in-the-way', place(at('pictures')));
    await refused('folder/in-the-way', place(miniModel));
  });

  it('a learning rate that leads nowhere, at the first epoch', async () => {
    const away = [...train(at('features'), '--learning-rate', '1e38'), '--epochs', '50'];
    const { stderr } = await inProcess(...away);
    expect(stderr).toContain('Nothing was saved. Train with a smaller --learning-rate.');
    expect(stderr).not.toContain('epoch 9/');
    await refused('train/diverged', away);
    const mixed = await inProcess(...away, '--precision', 'mixed');
    expect(mixed.stderr).toContain('smaller --learning-rate, or train in float32');
  });
});

describe('evaluate and predict refuse', () => {
  const picture = (): string => at('pictures/bars/000.bmp');

  it('what is no classifier', async () => {
    await refusedAtOnce('file/missing', ['evaluate', at('nowhere'), at('pictures')]);
    await refusedAtOnce('usage/classifier', ['evaluate', at('features'), at('classifier')]);
    await refusedAtOnce('file/missing', ['evaluate', at('classifier'), at('nowhere')]);
    await refused('model/unknown', ['predict', at('nowhere'), picture()]);
    await refused('usage/classifier', ['predict', at('features'), picture()]);
    await refused('usage/preprocess', ['predict', at('classifier'), picture(), '--preprocess', 'tf']);
  });

  it('altered classifiers', async () => {
    await cp(at('classifier'), at('tampered'), { recursive: true });
    const head = await headFile(at('tampered'));
    const bytes = await readFile(head);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 6) ^ 255, bytes.length - 6);
    await writeFile(head, bytes);
    await refused('classifier/weights', ['predict', at('tampered'), picture()]);
    const config = at('tampered/classifier.json');
    await writeFile(config, (await readFile(config, 'utf8')).slice(0, -20));
    await refused('classifier/config', ['evaluate', at('tampered'), at('pictures')]);
  });

  it('a base with other weights than the classifier was trained on', async () => {
    const weights = ['--weights', fixture('mini_vgg.h5')];
    await refused('classifier/base', ['predict', at('classifier'), picture(), ...weights]);
    await refused('classifier/base', ['evaluate', at('classifier'), at('pictures'), ...weights]);
  });

  it('pictures of unknown classes', async () => {
    await cp(at('pictures'), at('stranger'), { recursive: true });
    await cp(at('pictures/bars'), at('stranger/stripes'), { recursive: true });
    await refused('data/unknown-class', ['evaluate', at('classifier'), at('stranger')]);
    await writeDigits(at('whole-digits'), 5, 5);
    await refused('data/classes', ['evaluate', at('classifier'), at('whole-digits')]);
  });

  it('pictures that cannot be read, but names the others', async () => {
    await refused('file/missing', ['predict', at('classifier'), at('nowhere.jpg')]);
    await writeFile(at('broken.jpg'), 'no picture');
    const { code, stdout, stderr } = await inProcess(
      'predict',
      at('classifier'),
      at('broken.jpg'),
      picture(),
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/000\.bmp: /);
    expect(stderr).toContain('broken.jpg');
  });
});

describe('the other commands refuse', () => {
  it('adapters, models and folders that do not exist', async () => {
    expect(await refused('adapter/none', ['doctor', '--adapter', 'nonsense'])).toContain("'nonsense'");
    await refused('model/unknown', ['summary', at('nowhere')]);
    await refused('model/no-config', ['summary', fixture('mini_vgg.weights.h5')]);
    await refused('weights/unknown-model', ['weights', 'pull', 'vgg17']);
    await refused('weights/unknown-model', ['weights', 'path', 'vgg17']);
    await refused('verify/empty', ['verify', at('pictures')]);
    await refused('file/missing', ['verify', at('nowhere')]);
  });

  it('results of benchmarks that do not exist or are something else', async () => {
    const compare = ['bench', 'compare', at('nowhere.json'), at('nowhere.json')];
    expect(await refusedAtOnce('file/missing', compare)).toMatch(
      /nowhere\.json: results of .* no such file or folder\n {2}Check the path/,
    );
    await writeFile(at('other.json'), '{}');
    expect(await refusedAtOnce('bench/results', ['bench', 'report', at('other.json')])).toContain(
      'Give a latest.json',
    );
  });
});

describe('who cannot take a lock that is needed at the end learns it at the beginning', () => {
  /** The lock of a process of another machine, which nobody here can ask about. */
  const lock = async (...path: string[]): Promise<void> => {
    const holder = { machine: '00000000', pid: 7, started: '1', host: 'elsewhere', id: 'x', instance: 'x' };
    await mkdir(dirname(at(...path)), { recursive: true });
    await writeFile(at(...path), JSON.stringify(holder));
  };

  it.each(['classifier.json.lock', 'features.partial/training/1/lock'])('train, %s', async (name) => {
    await rm(at('locked'), { recursive: true, force: true });
    await lock('locked', name);
    const told = await refusedAtOnce('file/locked', ['train', at('features'), '--out', at('locked')]);
    expect(told).toContain('process 7 on elsewhere');
    expect(told).toContain(join('locked', dirname(name)));
    expect(await readdir(at('locked'))).toEqual([name.split('/')[0]]);
  });

  it('convert', async () => {
    await lock('web', 'model.json.lock');
    const convert = ['convert', at('not-there.keras'), at('web')];
    expect(await refused('file/locked', convert)).toContain('process 7 on elsewhere');
    expect(await readdir(at('web'))).toEqual(['model.json.lock']);
  });
});
