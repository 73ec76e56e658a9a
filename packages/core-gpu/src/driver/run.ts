import { spawn } from 'node:child_process';
import { ConvbaseError } from '@convbase/base';

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly onLine?: (line: string) => void;
}

/** Runs a system tool and returns its standard output. A missing tool or a failure is a ConvbaseError with its last words. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { onLine, ...surroundings } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...surroundings, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let complaints = '';
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (onLine) lines.forEach(onLine);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
    child.on('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      const what = missing ? `${command} is not installed` : error.message;
      reject(
        new ConvbaseError(missing ? 'driver/unavailable' : 'driver/fetch', what, {
          where: 'software driver',
          cause: error,
        }),
      );
    });
    child.on('close', (code) => {
      if (code === 0) {
        resolve(output);
        return;
      }
      const [reason, ...more] = complaints.trim().split('\n').slice(-8);
      reject(
        new ConvbaseError(
          'driver/fetch',
          [
            `${command} ${args.slice(0, 2).join(' ')} failed: ${reason || `exit code ${String(code)}`}`,
            ...more,
          ],
          {
            where: 'software driver',
            fix: 'Check the network and the mirror in /etc/apt, then run again.',
          },
        ),
      );
    });
  });
}
