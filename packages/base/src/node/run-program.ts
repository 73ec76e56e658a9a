import { spawn } from 'node:child_process';

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly shell?: boolean;
  /** Told each line of its standard output. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface ProgramRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program may say that is kept: the rest would fill the memory. */
const MAX_CHARACTERS = 2 ** 24;

/** How long a program may take to end that was asked to. */
const GRACE_MS = 2000;

/**
 * Runs a program to its end. It does not outlive this process: where the signal aborts it is asked to end, then made to,
 * and waited for, so that nothing goes on in a folder that is then removed; where this process exits it is ended as well.
 *
 * @throws the system's error where it cannot be started; the signal's reason
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  { onLine, signal, ...surroundings }: ProgramOptions = {},
): Promise<ProgramRun> {
  signal?.throwIfAborted();
  const child = spawn(command, args, {
    ...surroundings,
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  let stdout = '';
  let stderr = '';
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (stdout.length < MAX_CHARACTERS) stdout += text;
    if (onLine === undefined) return;
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-MAX_CHARACTERS);
    lines.forEach(onLine);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < MAX_CHARACTERS) stderr += text;
  });
  const end = (): void => void child.kill('SIGKILL');
  let impatient: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill();
    impatient = setTimeout(() => {
      end();
      // What it has started itself may still hold its output open.
      child.stdout.destroy();
      child.stderr.destroy();
    }, GRACE_MS);
  };
  process.on('exit', end);
  signal?.addEventListener('abort', stop);
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        resolve(code ?? 1);
      });
    });
    signal?.throwIfAborted();
    return { exitCode, stdout, stderr };
  } finally {
    clearTimeout(impatient);
    process.off('exit', end);
    signal?.removeEventListener('abort', stop);
  }
}
