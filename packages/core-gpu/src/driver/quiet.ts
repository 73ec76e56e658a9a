import { visible } from '@convbase/base';
import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
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
  const folder = mkdtempSync(join(tmpdir(), 'convbase-stderr-'));
  const file = join(folder, 'captured');
  writeFileSync(file, '');
  closeSync(stderr);
  try {
    // The lowest free number is taken, so this becomes descriptor 2.
    openSync(file, constants.O_RDWR);
    return task();
  } finally {
    closeSync(stderr);
    openSync(`/proc/self/fd/${String(saved)}`, writing);
    closeSync(saved);
    const worth = visible(withoutNoise(readFileSync(file, 'utf8')));
    rmSync(folder, { recursive: true });
    if (worth !== '') writeSync(stderr, worth);
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
    // Non-blocking first: opening a pipe that nobody reads any more would wait for ever.
    closeSync(openSync('/proc/self/fd/2', writing | constants.O_NONBLOCK));
    return openSync('/proc/self/fd/2', writing);
  } catch {
    // Another user's terminal, or a pipe without a reader: then the noise stays, which is no reason to fail.
    return undefined;
  }
}
