import { randomUUID } from 'node:crypto';
import { visible } from '@convbase/base';
import { closeSync, constants, fstatSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isatty } from 'node:tty';

const stderr = 2;
const writing = constants.O_WRONLY | constants.O_APPEND | constants.O_NOCTTY;

/** Lines that native code prints on a healthy start, or on the way from an unusable driver to a usable one. */
const noise = [
  /^Warning: maxDynamic(Uniform|Storage)BuffersPerPipelineLayout artificially reduced from /,
  /^Warning: Couldn't load Vulkan: /,
  /^Warning: Vulkan .* required\.$/,
  /^ - While initializing adapter /,
  /^error: XDG_RUNTIME_DIR /,
  /^WARNING: lavapipe is not a conformant vulkan implementation/,
  /^Failed to create .* for shader cache \(.*\)---disabling\.$/,
  /^ {4}at .*\/dawn\/native\/vulkan\/\w+\.cpp:\d+\)$/,
];

/** The lines of `text` that are worth showing, each with its line end. */
export function withoutNoise(text: string): string {
  const lines = text
    .split(/(?<=\n)/)
    .filter((line) => !noise.some((pattern) => pattern.test(line.trimEnd())));
  return lines.every((line) => line.trim() === '') ? '' : lines.join('');
}

/**
 * Runs synchronous native code and keeps the known noise that it prints on stderr from the user; whatever else it
 * prints is shown afterwards.
 *
 * Dawn and Mesa write to file descriptor 2 directly and offer no switch. Node has no `dup`, so the descriptor is
 * reopened through /proc, which gives the same stream back only for a terminal, a pipe or a file in append mode. In
 * all other cases (a file, the socket that a Node program gives its children, and other systems, where nothing is
 * printed) the task simply runs.
 */
export function withoutNativeNoise<T>(task: () => T): T {
  const saved = reopenStderr();
  if (saved === undefined) return task();
  const captured = namelessFile();
  if (captured === undefined) {
    closeSync(saved);
    return task();
  }
  redirectTo(captured);
  try {
    return task();
  } finally {
    redirectTo(saved);
    closeSync(saved);
    const worth = visible(withoutNoise(readFileSync(captured, 'utf8')));
    closeSync(captured);
    show(worth);
  }
}

/** Makes descriptor 2, which must be open, another one of what `descriptor` is. */
function redirectTo(descriptor: number): void {
  closeSync(stderr);
  // The lowest free number is taken, so this becomes descriptor 2.
  const path = `/proc/self/fd/${String(descriptor)}`;
  openSync(canBeOpened(path) ? path : '/dev/null', writing);
}

/** Whether opening succeeds and does not wait for ever, as for a pipe that nobody reads any more. */
function canBeOpened(path: string): boolean {
  try {
    closeSync(openSync(path, writing | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}

function show(text: string): void {
  try {
    if (text !== '') writeSync(stderr, text);
  } catch {
    // Whoever read it has gone since, or its disk is full: nobody is left to be told.
  }
}

/** An empty file that nobody else sees, or undefined where there is no place for one: then the noise stays. */
function namelessFile(): number | undefined {
  const path = join(tmpdir(), `convbase-stderr-${randomUUID()}`);
  try {
    const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    unlinkSync(path);
    return descriptor;
  } catch {
    // TMPDIR is gone, full or read-only, or there are too many files open: no reason to fail.
    return undefined;
  }
}

/** A second descriptor of what stderr is, or undefined where there is no way to get one. */
function reopenStderr(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const stats = fstatSync(stderr);
    const flags = Number.parseInt(
      /^flags:\s*(\d+)/m.exec(readFileSync('/proc/self/fdinfo/2', 'utf8'))?.[1] ?? '0',
      8,
    );
    const appending = stats.isFile() && (flags & constants.O_APPEND) !== 0;
    if (!isatty(stderr) && !stats.isFIFO() && !appending) return undefined;
    // Another user's terminal, or a pipe without a reader: then the noise stays, which is no reason to fail.
    return canBeOpened('/proc/self/fd/2') ? openSync('/proc/self/fd/2', writing) : undefined;
  } catch {
    // No /proc.
    return undefined;
  }
}
