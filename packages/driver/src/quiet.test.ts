import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { withoutNoise } from './quiet.ts';

const noisy = [
  'Warning: maxDynamicUniformBuffersPerPipelineLayout artificially reduced from 1000000 to 16 to fit dynamic offset allocation limit.',
  'error: XDG_RUNTIME_DIR is invalid or not set in the environment.',
  'Failed to create /nowhere for shader cache (No such file or directory)---disabling.',
  '',
].join('\n');

describe('withoutNoise', () => {
  it('drops what every healthy start prints and keeps the rest', () => {
    expect(withoutNoise(noisy)).toBe('');
    expect(withoutNoise(`${noisy}Error: out of memory\n`)).toBe('Error: out of memory\n');
    expect(withoutNoise('half a line')).toBe('half a line');
  });
});

describe.runIf(process.platform === 'linux')('withoutNativeNoise', () => {
  const folder = mkdtempSync(join(tmpdir(), 'convbase-quiet-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('holds back noise written to descriptor 2 and leaves stderr as it was', () => {
    const program = join(folder, 'program.mjs');
    buildSync({
      stdin: {
        contents: `
          import { writeSync } from 'node:fs';
          import { withoutNativeNoise } from './quiet.ts';
          console.error('before');
          const answer = withoutNativeNoise(() => {
            writeSync(2, ${JSON.stringify(noisy)});
            if (process.argv[2] === 'wait') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
            writeSync(2, 'a real complaint\\n');
            return 42;
          });
          try {
            withoutNativeNoise(() => { throw new Error('passed on'); });
          } catch (error) {
            console.error(error.message);
          }
          console.error('after', answer);
        `,
        resolveDir: import.meta.dirname,
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: program,
    });
    const log = join(folder, 'log');
    // Through a shell, whose pipes and files are what a user's are; Node would give its child a socket.
    const { TMPDIR: _, ...env } = process.env;
    for (const redirection of [`2>&1 >/dev/null | cat > '${log}'`, `2>> '${log}'`]) {
      rmSync(log, { force: true });
      const { status } = spawnSync('sh', ['-c', `'${process.execPath}' '${program}' ${redirection}`], {
        env,
      });
      expect(status).toBe(0);
      expect(readFileSync(log, 'utf8')).toBe('before\na real complaint\npassed on\nafter 42\n');
    }
    // Where there is no place to hold it back, the noise stays, and nothing else changes.
    for (const TMPDIR of [join(folder, 'nowhere'), '/proc', program, join(folder, 'a'.repeat(300))]) {
      const command = `'${process.execPath}' '${program}' 2>&1 >/dev/null | cat > '${log}'`;
      expect(spawnSync('sh', ['-c', command], { env: { ...env, TMPDIR } }).status).toBe(0);
      expect(readFileSync(log, 'utf8')).toBe(`before\n${noisy}a real complaint\npassed on\nafter 42\n`);
    }
    expect(readdirSync(folder)).toEqual(['log', 'program.mjs']);
    // A reader that goes away in the midst leaves nobody waiting for another one.
    const command = `'${process.execPath}' '${program}' wait 2>&1 >/dev/null | head -n 1`;
    expect(spawnSync('sh', ['-c', command], { env, timeout: 60_000 }).status).toBe(0);
  });
});
