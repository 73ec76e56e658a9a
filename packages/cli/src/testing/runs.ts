import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { vi } from 'vitest';
import { run } from '../run.ts';

/** What a command line did. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, on the sources. */
export async function inProcess(...args: readonly string[]): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const line = (values: readonly unknown[]): string => `${values.map(String).join(' ')}\n`;
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((...values) => void (stdout += line(values))),
    vi.spyOn(console, 'error').mockImplementation((...values) => void (stderr += line(values))),
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((stdout += String(text)))),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((stderr += String(text)))),
  ];
  try {
    return { code: await run(args), stdout, stderr };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** The command as users run it, on the build. */
export const bin = join(import.meta.dirname, '../../bin/convbase.js');

interface ChildOptions {
  /** Sends SIGINT when this returns true; asked after each output and every 20 ms. */
  readonly interruptWhen?: (output: string) => boolean;
  readonly env?: NodeJS.ProcessEnv;
  /** Stands in front of the command, such as a shell that sets limits. */
  readonly wrapper?: readonly string[];
}

/** Runs a command line in a process of its own; `lingeredMs` is how long it lived after its last output. */
export async function inChild(
  args: readonly string[],
  { interruptWhen, env = {}, wrapper = [] }: ChildOptions = {},
): Promise<Outcome & { lingeredMs: number; signal: NodeJS.Signals | null }> {
  const [command = process.execPath, ...rest] = [...wrapper, process.execPath, bin, ...args];
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let [stdout, stderr, last, interrupted] = ['', '', Date.now(), false];
  const look = (): void => {
    if (interrupted || !interruptWhen?.(stdout + stderr)) return;
    interrupted = true;
    child.kill('SIGINT');
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    last = Date.now();
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    last = Date.now();
    look();
  });
  const looking = setInterval(look, 20);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearInterval(looking);
      resolve({ code, signal, stdout, stderr, lingeredMs: Date.now() - last });
    });
  });
}
