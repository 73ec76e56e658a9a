import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inChild } from './testing/runs.ts';

/** Runs on the build; how many threads a process has only Linux tells so easily. */
describe.runIf(process.platform === 'linux')('the threads that decode pictures', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'convbase-threads-'));
  });
  afterAll(async () => {
    await rm(root, { recursive: true });
  });

  /** How many threads the command has at its end, on a machine with so many cores. */
  async function threads(cores: number, env: NodeJS.ProcessEnv): Promise<number> {
    const machine = join(root, `${cores}.cjs`);
    await writeFile(
      machine,
      `require('node:os').availableParallelism = () => ${cores};
      process.on('exit', () => console.log('threads', require('node:fs').readdirSync('/proc/self/task').length));`,
    );
    const outcome = await inChild(['--version'], { env: { ...env, NODE_OPTIONS: `--require ${machine}` } });
    return Number(/threads (\d+)/.exec(outcome.stdout)?.[1]);
  }

  it('are as many as there are cores, unless the user says how many', async () => {
    const four = await threads(12, { UV_THREADPOOL_SIZE: '4' });
    const unset = { UV_THREADPOOL_SIZE: undefined };
    expect(await threads(12, unset)).toBe(four + 8);
    expect(await threads(2, unset)).toBe(four);
  });
});
