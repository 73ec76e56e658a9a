import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inChild } from './testing/runs.ts';
import { miniOptions, writePictures } from './testing/samples.ts';

/** What a machine's environment says at the end. */
function threadsIn(output: string): number {
  return Number(/threads (\d+)/.exec(output)?.[1]);
}

/** Runs on the build; how many threads a process has only Linux tells so easily. */
describe.runIf(process.platform === 'linux')('the threads that decode pictures', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'convbase-threads-'));
  });
  afterAll(async () => {
    await rm(root, { recursive: true });
  });

  /** The environment of a machine that says that it has so many cores, and at the end how many threads there are. */
  async function machine(cores: number, env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
    const path = join(root, `${cores}.cjs`);
    await writeFile(
      path,
      `require('node:os').availableParallelism = () => ${cores};
      process.on('exit', () => console.error('threads', require('node:fs').readdirSync('/proc/self/task').length));`,
    );
    return { ...env, NODE_OPTIONS: `--require ${path}` };
  }

  /** How many threads the command has at its end, on a machine with so many cores. */
  async function threads(cores: number, env: NodeJS.ProcessEnv): Promise<number> {
    const outcome = await inChild(['--version'], { env: await machine(cores, env) });
    return threadsIn(outcome.stderr);
  }

  it('are joined by others that resize, where there are cores to spare, to the same features', async () => {
    await writePictures(join(root, 'pictures'), 6);
    const results: { readonly threads: number; readonly features: Buffer }[] = [];
    for (const cores of [2, 6]) {
      const out = join(root, `features-${cores}`);
      const flags = [...miniOptions, '--resize', 'bilinear', '--out', out];
      const env = await machine(cores, { UV_THREADPOOL_SIZE: '4' });
      const { code, stderr } = await inChild(['extract', join(root, 'pictures'), ...flags], { env });
      expect(code).toBe(0);
      results.push({ threads: threadsIn(stderr), features: await readFile(join(out, 'features.npy')) });
    }
    const [alone, helped] = results;
    expect(helped?.features.equals(alone?.features ?? Buffer.alloc(0))).toBe(true);
    expect(helped?.threads).toBeGreaterThan(alone?.threads ?? Infinity);
  });

  it('are as many as there are cores, unless the user says how many', async () => {
    const four = await threads(12, { UV_THREADPOOL_SIZE: '4' });
    const unset = { UV_THREADPOOL_SIZE: undefined };
    expect(await threads(12, unset)).toBe(four + 8);
    expect(await threads(2, unset)).toBe(four);
  });
});
