import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inChild, inProcess } from '../testing/runs.ts';
import { miniModel, miniOptions, writePictures } from '../testing/samples.ts';

/** Limits, mounts and users are those of Linux; where one may not be changed, its tests are skipped. */
const linux = process.platform === 'linux';
const root = linux && process.getuid?.() === 0;
const mounts = root && spawnSync('unshare', ['--mount', 'true']).status === 0;
const users = root && spawnSync('setpriv', ['--reuid=65534', '--clear-groups', 'true']).status === 0;

let folder: string;
/** The driver found before `HOME` and the cache are changed. */
let driver: string | undefined;
const at = (...parts: string[]): string => join(folder, ...parts);
const picture = (): string => at('pictures', 'bars', '000.bmp');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-around-'));
  await writePictures(at('pictures'), 4);
  await inProcess('extract', at('pictures'), ...miniOptions, '--out', at('features'));
  await inProcess('train', at('features'), '--epochs', '1', '--units', '2', '--out', at('classifier'));
  driver = process.env['CONVBASE_DRIVER'];
  for (const name of ['here', 'mount', 'private']) await mkdir(at(name));
  await writeFile(at('file'), '');
  // For another user, who may look into the temporary folder but not into this one of it.
  await chmod(folder, 0o755);
  await chmod(at('private'), 0o700);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

type Outcome = Awaited<ReturnType<typeof inChild>>;

/** Runs a command behind a shell's line that ends in `"$@"`, the command. */
function behind(line: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const found = driver === undefined ? {} : { CONVBASE_DRIVER: driver };
  return inChild(args, { wrapper: ['sh', '-c', line, 'sh'], env: { ...found, ...env } });
}

function expectTold({ code, stderr }: Outcome, says: RegExp): void {
  expect(stderr).toMatch(says);
  expect(stderr).not.toMatch(/a fault in convbase itself|\n {4}at /);
  expect(code).toBe(1);
}

function expectDone({ code, stderr }: Outcome): void {
  expect(stderr).not.toContain('error');
  expect(code).toBe(0);
}

describe.runIf(linux)('what is printed last is lost', () => {
  it.each([['recipe', 'list'], ['summary', miniModel], ['--help']])('%s', async (...args) => {
    expectTold(await behind('exec "$@" > /dev/full', args), /error: stdout: ENOSPC/);
    expect((await behind('exec "$@" > /dev/full 2>&1', args)).code).toBe(1);
  });
});

describe.runIf(linux)('surroundings that only help may be unusable', () => {
  const predict = (): string[] => ['predict', at('classifier'), picture()];

  it.each(['missing', '/dev/full'])('TMPDIR=%s', async (name) => {
    const TMPDIR = name === 'missing' ? at(name) : name;
    expectDone(await behind('exec "$@"', predict(), { TMPDIR }));
  });

  it.each(['/proc/nope', 'relative'])('HOME=%j, and a relative XDG_CACHE_HOME', async (HOME) => {
    const line = `cd '${at('here')}' && exec "$@"`;
    expectDone(await behind(line, predict(), { HOME, XDG_CACHE_HOME: 'relative' }));
    expect(await readdir(at('here'))).toEqual([]);
  });

  it.each(['/proc/nope', '/dev/null'])('CONVBASE_CACHE=%s', async (CONVBASE_CACHE) => {
    const stages = ['--head-epochs', '1', '--epochs', '1', '--unfreeze-last', '1', '--units', '2'];
    const finetune = ['finetune', at('pictures'), ...miniOptions, ...stages, '--out', at('run')];
    const outcome = await behind('exec "$@"', finetune, { CONVBASE_CACHE });
    // Four times in two stages, of training and validation pictures each, the folder is found unusable.
    expect(outcome.stderr.split('outputs of frozen layers cannot be kept')).toHaveLength(2);
    expect(outcome.stderr.split('kernels are chosen by rules alone').length).toBeLessThanOrEqual(2);
    expectDone(outcome);
    await rm(at('run'), { recursive: true });
    const tune = ['tune', miniModel, '--size', '20'];
    expectTold(await behind('exec "$@"', tune, { CONVBASE_CACHE }), /not a folder|lets nobody|no such file/);
  });
});

describe.runIf(linux)("weights in Keras' folder", () => {
  it.each(['list', 'path'])('that cannot be looked into are not used by weights %s', async (command) => {
    const home = at(`home of ${command}`);
    await mkdir(home);
    await symlink('.keras', join(home, '.keras'));
    const args = ['weights', command, ...(command === 'path' ? ['vgg16'] : [])];
    const env = { HOME: home, KERAS_HOME: '', CONVBASE_CACHE: at('empty cache') };
    const outcome = await behind('exec "$@"', args, env);
    expect(outcome.stderr.split('weights that Keras keeps are not used')).toHaveLength(2);
    expect(outcome.stderr).not.toContain('error');
  });
});

describe.runIf(linux)('what is needed is told', () => {
  it('the folder that one stands in is gone', async () => {
    const line = `mkdir '${at('gone')}' && cd '${at('gone')}' && rmdir '${at('gone')}' && exec "$@"`;
    const args = ['train', at('features'), '--epochs', '1', '--out', 'classifier'];
    expectTold(
      await behind(line, args),
      /^error: the folder that this program was started in is gone\n {2}Change/m,
    );
    expectDone(await behind(line, ['summary', miniModel]));
  });

  const withOpenFiles = (limit: number): Promise<Outcome> =>
    behind(`ulimit -n ${limit} && exec "$@"`, ['summary', miniModel]);
  const tooMany = /too many (open files|files open)|ulimit -n/;

  it('at most 30 open files, fewer than it needs', async () => {
    expectTold(await withOpenFiles(30), tooMany);
  });

  it.each([50, 80])('at most %d open files, which may do', async (limit) => {
    const outcome = await withOpenFiles(limit);
    if (outcome.code !== 0) expectTold(outcome, tooMany);
  });

  it('files of at most 512 bytes', async () => {
    const outcome = await behind('ulimit -f 1 && exec "$@"', ['convert', miniModel, at('here', 'x.keras')]);
    expectTold(
      outcome,
      /x\.keras: cannot write it: the file is larger than this file system or limit allows/,
    );
    expect(await readdir(at('here'))).toEqual([]);
  });
});

describe.runIf(mounts)('file systems', () => {
  const on = (options: string, args: readonly string[]): Promise<Outcome> =>
    behind(
      `exec unshare --mount sh -c 'mount -t tmpfs -o ${options} tmpfs "${at('mount')}" && exec "$@"' sh "$@"`,
      args,
    );
  const commands = (): [string, readonly string[]][] => [
    ['features', ['extract', at('pictures'), ...miniOptions, '--out', at('mount', 'features')]],
    ['classifier', ['train', at('features'), '--epochs', '1', '--out', at('mount', 'classifier')]],
    ['x.keras', ['convert', miniModel, at('mount', 'x.keras')]],
    ['x.png', ['augment', at('pictures'), '--horizontal-flip', '--preview', at('mount', 'x.png')]],
  ];

  it('that are read-only', async () => {
    for (const [name, args] of commands()) {
      expectTold(await on('ro', args), new RegExp(`/${name}: cannot .*: the file system is read-only`));
    }
  });

  it('that are full', async () => {
    for (const [name, args] of commands()) {
      expectTold(await on('size=4k', args), new RegExp(`/${name}.*: cannot .*: the disk is full`));
    }
  });
});

describe.runIf(users)('another user', () => {
  it('may not read and not write', async (context) => {
    const line = 'exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"';
    const asNobody = (...args: readonly string[]): Promise<Outcome> =>
      behind(line, args, { HOME: at('missing') });
    const denied = /: cannot .*: permission denied/;
    // Where that user may not even read the program, there is nothing to see.
    if ((await asNobody('--version')).code !== 0) context.skip();
    expectTold(await asNobody('summary', at('private', 'x.keras')), denied);
    expectTold(await asNobody('extract', at('private'), ...miniOptions, '--out', at('out')), denied);
    expectTold(await asNobody('convert', miniModel, at('private', 'x.keras')), denied);
  });
});
