import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { spawn } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runProgram } from './run-program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-program-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const node = process.execPath;
const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

it('gives output, exit code and lines', async () => {
  const lines: string[] = [];
  const script = "console.log('a\\nb'); console.error('c'); process.exitCode = 3";
  const run = await runProgram(node, ['-e', script], { onLine: (line) => lines.push(line) });
  expect(run).toEqual({ exitCode: 3, stdout: 'a\nb\n', stderr: 'c\n' });
  expect(lines).toEqual(['a', 'b']);
  await expect(runProgram(join(folder, 'none'), [])).rejects.toMatchObject({ code: 'ENOENT' });
});

it.each(['', "process.on('SIGTERM', () => undefined);"])(
  'ends it when the signal aborts, and says so only then (%s)',
  async (stubborn) => {
    const controller = new AbortController();
    const reason = new Error('stop');
    let pid = 0;
    const script = `${stubborn} console.log(process.pid); setInterval(() => undefined, 1000)`;
    const running = runProgram(node, ['-e', script], {
      signal: controller.signal,
      onLine: (line) => {
        pid = Number(line);
        controller.abort(reason);
      },
    });
    await expect(running).rejects.toBe(reason);
    expect(pid).toBeGreaterThan(0);
    expect(isRunning(pid)).toBe(false);
  },
);

it('does not start it where the signal has aborted', async () => {
  const signal = AbortSignal.abort(new Error('stop'));
  await expect(runProgram(join(folder, 'none'), [], { signal })).rejects.toThrow('stop');
});

it('ends it when this process exits', async () => {
  const file = join(folder, 'pid');
  const inner = `require('fs').writeFileSync(${JSON.stringify(file)}, String(process.pid)); console.log('up'); setInterval(() => undefined, 1000)`;
  const module = pathToFileURL(join(import.meta.dirname, '../../dist/node/run-program.js')).href;
  const outer = `import { runProgram } from ${JSON.stringify(module)};
    await runProgram(process.execPath, ['-e', ${JSON.stringify(inner)}], { onLine: () => process.exit(7) });`;
  const child = spawn(node, ['--input-type=module', '-e', outer], { stdio: 'inherit' });
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(7);
  const pid = Number(await readFile(file, 'utf8'));
  await expect.poll(() => isRunning(pid), { timeout: 5000 }).toBe(false);
});
