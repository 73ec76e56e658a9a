import { SingleBar } from 'cli-progress';

/** Shows how far a long job is, on stderr: a bar on a terminal, a plain line every few seconds in a pipe. */
export interface Progress {
  /** `done` of `total`; `note` stands behind the numbers, such as a loss. */
  update: (done: number, total: number, note?: string) => void;
  /** A line of its own, such as a job that cannot be counted. */
  say: (line: string) => void;
  stop: () => void;
}

const LINE_EVERY_MS = 5000;

export function createProgress(label: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? barProgress(label, stream) : lineProgress(label, stream);
}

function barProgress(label: string, stream: NodeJS.WriteStream): Progress {
  let bar: SingleBar | undefined;
  let started = 0;
  return {
    update: (done, total, note = '') => {
      if (!bar) {
        const format = `${label} [{bar}] {value}/{total} {eta} {note}`;
        bar = new SingleBar({
          format,
          stream,
          barsize: 24,
          hideCursor: null,
          linewrap: false,
          clearOnComplete: false,
        });
        bar.start(total, 0, { note: '', eta: '' });
        started = Date.now();
      }
      bar.setTotal(total);
      bar.update(done, { note, eta: remaining(started, done, total) });
    },
    say: (line) => {
      bar?.stop();
      bar = undefined;
      stream.write(`${line}\n`);
    },
    stop: () => {
      bar?.stop();
      bar = undefined;
    },
  };
}

function lineProgress(label: string, stream: NodeJS.WritableStream): Progress {
  const started = Date.now();
  let last = 0;
  let pending: string | undefined;
  const write = (line: string): void => {
    stream.write(`${line}\n`);
    last = Date.now();
    pending = undefined;
  };
  return {
    update: (done, total, note = '') => {
      const line =
        `${label} ${String(done)}/${String(total)} ${remaining(started, done, total)} ${note}`.trimEnd();
      if (done >= total || Date.now() - last >= LINE_EVERY_MS) write(line);
      else pending = line;
    },
    say: write,
    stop: () => {
      if (pending !== undefined) write(pending);
    },
  };
}

/** Time left at the average rate so far: `ETA 75s`, or nothing while that is a guess. */
export function remaining(started: number, done: number, total: number, now = Date.now()): string {
  const elapsed = now - started;
  if (done <= 0 || elapsed < 1000) return '';
  if (done >= total) return `${duration(elapsed)}`;
  return `ETA ${duration((elapsed / done) * (total - done))}`;
}

/** `42s`, `3m20s`, `1h05m`. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${String(seconds)}s`;
  const pad = (n: number): string => String(n).padStart(2, '0');
  if (seconds < 3600) return `${String(Math.floor(seconds / 60))}m${pad(seconds % 60)}s`;
  return `${String(Math.floor(seconds / 3600))}h${pad(Math.floor((seconds % 3600) / 60))}m`;
}
