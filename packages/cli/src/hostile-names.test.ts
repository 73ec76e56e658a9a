import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { cacheFolder } from '@convbase/base/node';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { inProcess, type Outcome } from './testing/runs.ts';
import { miniModel, writePictures } from './testing/samples.ts';

/** Colours, clears, rings, turns the direction round, hides, and pretends to be a line of the command's own. */
const H = 'x\u001b[31m\u001b]0;t\u0007\u009b2J\u007f\u202e\u200b\u2028\r\nerror: faked\ty';
const SHOWN = String.raw`x\x1b[31m\x1b]0;t\x07\x9b2J\x7f\u202e\u200b\u2028\r\nerror: faked\ty`;
const classNames = [`cats${H}`, `dogs${H}`];

const RAW =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\p{Surrogate}]/u;

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);
const model = (): string => at(`mini${H}.keras`);
const base = (): string[] => ['--model', model(), '--preprocess', 'rescale', '--size', '20'];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-names-'));
  await mkdir(at('cache'));
  await symlink(join(cacheFolder(), 'drivers'), at('cache', 'drivers'));
  vi.stubEnv('CONVBASE_CACHE', at('cache'));
  await copyFile(miniModel, model());
  await writePictures(at(`p${H}`), 4);
  const [cats = '', dogs = ''] = classNames;
  await rename(at(`p${H}`, 'bars'), at(`p${H}`, cats));
  await rename(at(`p${H}`, 'dots'), at(`p${H}`, dogs));
  await rename(at(`p${H}`, cats, '000.bmp'), at(`p${H}`, cats, `0${H}.bmp`));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.stubEnv('CONVBASE_CACHE', at('cache'));
});

function expectVisible(text: string): void {
  expect(RAW.exec(text)?.[0]).toBeUndefined();
  expect(text).not.toMatch(/^error: faked/m);
}

/** Runs a command, which may fail; nothing that it prints is raw. */
async function attacked(...args: string[]): Promise<Outcome> {
  const outcome = await inProcess(...args);
  expect(outcome.stderr).not.toContain('a fault in convbase');
  expectVisible(outcome.stdout);
  expectVisible(outcome.stderr);
  return outcome;
}

async function json(...args: string[]): Promise<unknown> {
  const { stdout, stderr, code } = await attacked(...args, '--json');
  expect(stderr).not.toMatch(/^error:/m);
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

const TEXTS = ['.html', '.svg', '.csv', '.md', '.txt', '.log', '.yaml', '.json', '.jsonl'];

/** Every file below a folder that a person may open holds nothing raw. Returns how many there are. */
async function expectVisibleFiles(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && TEXTS.includes(extname(entry.name)));
  for (const { parentPath, name } of files) {
    const text = await readFile(join(parentPath, name), 'utf8');
    // CSV files end their lines as Python does.
    expectVisible(name.endsWith('.csv') ? text.replaceAll('\r\n', '\n') : text);
  }
  return files.length;
}

it('extracts, trains, judges and predicts', async () => {
  const [pictures, features, out] = [at(`p${H}`), at(`f${H}`), at(`c${H}`)];
  await writeFile(join(pictures, classNames[0] ?? '', `zz${H}.jpg`), 'bad');
  expect((await attacked('extract', pictures, ...base(), '--out', features)).code).toBe(1);
  const skip = ['--on-bad-image', 'skip'];
  const { stderr, stdout } = await attacked('extract', pictures, ...base(), ...skip, '--out', features);
  expect(stderr).toContain(`zz${SHOWN}.jpg`);
  expect(stdout).toContain(`f${SHOWN}`);
  await rm(join(pictures, classNames[0] ?? '', `zz${H}.jpg`));
  expect((await attacked('train', features, '--out', out, '--epochs', '1')).code).toBe(0);
  expect(await json('train', features, '--out', out, '--epochs', '1')).toMatchObject({ classNames, out });
  await attacked('evaluate', out, features);
  await attacked('evaluate', out, pictures);
  await attacked('evaluate', out, at('nothing', H));
  const pictureFolder = join(pictures, classNames[0] ?? '');
  const predicted = await attacked('predict', out, pictureFolder);
  expect(predicted.stdout).toContain(`cats${SHOWN}`);
  const [first] = (await json('predict', out, pictureFolder)) as { image: string; predictions: object[] }[];
  expect(first?.image).toBe(join(pictureFolder, '001.bmp'));
  expect(first?.predictions.map((each) => 'className' in each && each.className).sort()).toEqual(classNames);
  await attacked('predict', out, pictureFolder, at(`none${H}.jpg`));
  await attacked('summary', out);

  const whole = at(`whole${H}.keras`);
  expect((await attacked('convert', out, whole)).code).toBe(0);
  expect((await attacked('convert', out, whole)).code).toBe(1);
  await attacked('convert', out, at(`weights${H}.safetensors`));
  expect(await json('convert', out, whole, '--force')).toMatchObject({ path: whole, classNames });
  expect((await attacked('predict', whole, pictureFolder)).stdout).toContain(`cats${SHOWN}`);

  expect(await expectVisibleFiles(features)).toBeGreaterThan(0);
  expect(await expectVisibleFiles(out)).toBeGreaterThan(0);
  const saved = JSON.parse(await readFile(join(out, 'classifier.json'), 'utf8')) as object;
  expect(saved).toMatchObject({ classNames });
  await writeFile(join(out, 'classifier.json'), `{"${H}": ${H}}`);
  expect((await attacked('predict', out, pictureFolder)).code).toBe(1);
  await writeFile(join(features, 'manifest.json'), `{"version": 1, ${JSON.stringify(H)}: [}`);
  expect((await attacked('train', features, '--out', at('c2'))).code).toBe(1);
}, 120_000);

it('draws on a terminal nothing but its own control characters', async () => {
  const { isTTY } = process.stderr;
  process.stderr.isTTY = true;
  try {
    for (const name of [`t${H}`, 'tty']) {
      const { stderr } = await inProcess('extract', at(`p${H}`), ...base(), '--out', at(name));
      expect(stderr).toContain('\r\u001b[2K');
      expectVisible(stderr.replaceAll('\r\u001b[2K', ''));
    }
  } finally {
    process.stderr.isTTY = isTTY;
  }
});

it('runs recipes and writes their reports', async () => {
  const recipe = {
    title: H,
    model: { base: model(), size: 20, preprocess: 'rescale', weights: null },
  };
  await attacked('recipe', 'run', at(`none${H}.yaml`), '--data', root, '--out', at('r0'));
  await attacked('recipe', 'show', H);
  for (const [i, text] of [
    JSON.stringify(recipe),
    `title: "x"\n${JSON.stringify(H)}: 1\n`,
    `title: *a\u001b[2J\n`,
    `title: &a\u001b[2J [\n`,
    `title: "\\q\u001b[2J"\n`,
    `\u001b[2J: \u009b\n - : {\u001b`,
    `title: [${JSON.stringify(H)}]\nstages: ${JSON.stringify(H)}\nmodel: !<${H}> x`,
  ].entries()) {
    const path = at(`r${i}${H}.yaml`);
    await writeFile(path, text);
    expect((await attacked('recipe', 'run', path, '--data', root, '--out', at('r1'))).code).toBe(1);
    await attacked('recipe', 'run', path, '--data', root, '--out', at('r1'), '--json');
    await attacked('recipe', 'show', path);
  }
  const out = at(`run${H}`);
  const { code, stderr } = await attacked(
    ...['finetune', at(`p${H}`), ...base(), '--out', out, '--batch-size', '2', '--units', '4'],
    ...['--head-epochs', '1', '--epochs', '1', '--unfreeze-last', '2'],
  );
  expect(stderr).not.toMatch(/^error:/m);
  expect(code).toBe(0);
  expect(await expectVisibleFiles(out)).toBeGreaterThan(4);
  expect(await readFile(join(out, 'report.html'), 'utf8')).toContain(
    `cats${SHOWN.replaceAll('"', '&quot;')}`,
  );
  expect(JSON.parse(await readFile(join(out, 'run.json'), 'utf8'))).toMatchObject({ classNames });
  await attacked('recipe', 'show', join(out, 'recipe.yaml'));

  const [mine, again] = [at(`mine${H}.yaml`), at(`again${H}`)];
  const written = (await json('recipe', 'show', join(out, 'recipe.yaml'))) as object;
  await writeFile(mine, JSON.stringify({ ...written, title: H }));
  const ran = await attacked('recipe', 'run', mine, '--data', at(`p${H}`), '--out', again);
  expect(ran.stderr).not.toMatch(/^error:/m);
  expect(ran.stdout).toContain(SHOWN);
  expect(await expectVisibleFiles(again)).toBeGreaterThan(4);
  expect(await json('recipe', 'show', join(again, 'recipe.yaml'))).toMatchObject({ title: H });
  await attacked('summary', out);
}, 180_000);

it('reads models with such layers, tensors and texts', async () => {
  expect((await attacked('convert', model(), at(`web${H}`))).code).toBe(0);
  const path = at(`web${H}`, 'model.json');
  const text = await readFile(path, 'utf8');
  const [, layer = ''] = /"class_name":"Conv2D","config":\{[^{}]*?"name":"([^"]+)"/.exec(text) ?? [];
  expect(layer).not.toBe('');
  const renamed = text.replaceAll(`"${layer}`, `"${JSON.stringify(H).slice(1, -1)}`);
  await writeFile(path, renamed);
  const table = await attacked('summary', path);
  expect(table.stdout).toContain(String.raw`x\x1b[31m`);
  const widths = new Set(
    table.stdout
      .split('\n')
      .filter((line) => /^[│├┡]/.test(line))
      .map((line) => line.length),
  );
  expect(widths.size).toBe(1);
  const { layers } = (await json('summary', path)) as { layers: { name: string }[] };
  expect(layers.map(({ name }) => name)).toContain(H);
  await attacked('summary', path, '--unfreeze-from', H);
  await attacked('summary', path, '--unfreeze-from', `no${H}`);
  await attacked('profile', path, '--batch-size', '1', '--runs', '1', '--trace', at(`trace${H}.json`));
  await attacked('tune', path, '--batch-size', '1', '--rounds', '1');
  for (const ending of ['.keras', '.safetensors', '.weights.h5']) {
    const converted = at(`again${H}${ending}`);
    await attacked('convert', path, converted);
    await attacked('summary', converted);
    await attacked('extract', at(`p${H}`), '--model', model(), '--weights', converted, '--out', at('f9'));
  }
  for (const damaged of [
    `{"a": ${H}`,
    H,
    renamed.replace('"Conv2D"', JSON.stringify(H)),
    `[${JSON.stringify(H)}]`,
  ]) {
    await writeFile(path, damaged);
    expect((await attacked('summary', path)).code).toBe(1);
  }
  const header = Buffer.from(JSON.stringify({ [H]: { dtype: H, shape: [1], data_offsets: [0, 4] } }));
  const size = Buffer.alloc(8);
  size.writeUInt32LE(header.length);
  const tensors = at(`t${H}.safetensors`);
  await writeFile(tensors, Buffer.concat([size, header, Buffer.alloc(4)]));
  await attacked('summary', tensors);
  await attacked('extract', at(`p${H}`), ...base(), '--weights', tensors, '--out', at('f8'));
}, 120_000);

it.each([
  [H],
  [`--${H}`],
  ['extract', `--ou${H}`],
  ['extract', 'p', '--split', H],
  ['extract', 'p', '--size', H],
  ['extract', 'p', '--on-bad-image', H],
  ['extract', H, '--model', 'vgg16', '--out', H],
  ['extract', H, '--model', H, '--out', H],
  ['summary', `npm:${H}`],
  ['summary', H],
  ['summary', `https://${H}`],
  ['weights', 'pull', H],
  ['weights', 'path', H],
  ['weights', H],
  ['verify', H],
  ['verify', '--weights', H],
  ['verify', '--weights', `${H}=${H}`],
  ['augment', H, '--preview', `${H}.png`],
  ['augment', H, '--preview', `${H}.png`, '--layers', H],
  ['bench', '--only', H, '--list'],
  ['bench', '--contenders', H],
  ['bench', 'compare', H, H],
  ['bench', 'report', H, '--out', H],
  ['recipe', 'run', H, '--data', H],
  ['recipe', H],
  ['doctor', '--adapter', H],
  ['doctor', H],
  ['tune', H],
  ['profile', H, '--trace', H],
  ['convert', H, H],
  ['finetune', H, '--model', H],
  ['train', H, '--optimizer', H],
  ['predict', H, H],
  ['evaluate', H, H],
])('refuses %j', async (...args) => {
  vi.spyOn(process, 'cwd').mockReturnValue(root);
  try {
    await attacked(...args);
    await attacked(...args, '--json');
  } finally {
    vi.restoreAllMocks();
  }
});

it.each(['CONVBASE_ADAPTER', 'CONVBASE_DRIVER', 'CONVBASE_CACHE', 'CONVBASE_TUNED', 'CONVBASE_DEBUG'])(
  'shows what %s says',
  async (name) => {
    vi.stubEnv(name, name === 'CONVBASE_CACHE' ? at(`cache${H}`) : H);
    await attacked('doctor');
    await attacked('weights', 'list');
    await attacked('weights', 'path', 'vgg16');
  },
);

it('shows names in results of benchmarks', async () => {
  const path = at(`results${H}.json`);
  for (const text of [H, `{"x": ${H}}`, JSON.stringify({ [H]: H, version: H, set: H })]) {
    await writeFile(path, text);
    await attacked('bench', 'compare', path, path);
    await attacked('bench', 'report', path, '--with', path, '--out', at('page'));
  }
});
