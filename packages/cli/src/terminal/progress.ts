import { visibleLine } from '@convbase/base';
import { drawLine, endLine, eraseLine, writeLine } from './print.ts';

/** Shows how far a long job is, on stderr: a bar on a terminal, a plain line every few seconds in a pipe. */
export interface Progress {
  /** `done` of `total`; `note` stands behind the numbers, such as a loss. */
  update: (done: number, total: number, note?: string) => void;
  /** A line of its own, such as what cannot be counted. */
  say: (line: string) => void;
  /** Leaves the last state standing; what is counted next is another job. */
  stop: () => void;
}

export function createProgress(label: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? barProgress(label, stream) : lineProgress(label, stream);
}

interface State {
  readonly done: number;
  readonly total: number;
  readonly note: string;
}

const REDRAW_EVERY_MS = 50;

function barProgress(label: string, stream: NodeJS.WriteStream): Progress {
  let clock = new Clock();
  let state: State | undefined;
  let drawn = 0;
  const draw = (): void => {
    if (!state) return;
    drawLine(stream, barLine(label, state, clock.text(state), stream.columns));
    drawn = Date.now();
  };
  return {
    update: (done, total, note = '') => {
      state = { done, total, note };
      clock.see(done);
      if (done >= total || Date.now() - drawn >= REDRAW_EVERY_MS) draw();
    },
    say: (line) => {
      if (state) eraseLine(stream);
      writeLine(stream, line);
      draw();
    },
    stop: () => {
      if (!state) return;
      draw();
      endLine(stream);
      state = undefined;
      clock = new Clock();
    },
  };
}

/** `extract [#########       ] 1234/4000  ETA 3m20s  note`, no longer than the terminal is wide. */
export function barLine(name: string, { done, total, note }: State, time: string, columns = 80): string {
  const label = visibleLine(name);
  const numbers = `${String(done).padStart(String(total).length)}/${total}`;
  const text = ['', numbers, time, visibleLine(note)].filter((part, i) => i === 0 || part !== '').join('  ');
  // One column stays free: a full line makes some terminals wrap.
  const width = Math.min(40, columns - 1 - label.length - text.length - 3);
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const bar = width < 5 ? '' : ` [${'#'.repeat(Math.round(share * width)).padEnd(width)}]`;
  return `${label}${bar}${text}`.slice(0, columns - 1);
}

const LINE_EVERY_MS = 5000;

function lineProgress(label: string, stream: NodeJS.WritableStream): Progress {
  let clock = new Clock();
  let written = Date.now();
  let last = '';
  let pending: (() => void) | undefined;
  return {
    update: (done, total, note = '') => {
      clock.see(done);
      // The same state later is nothing new.
      const state = `${done}/${total} ${note}`;
      if (state === last) return;
      const parts = [`${label} ${done}/${total}`, clock.text({ done, total }), note];
      const line = parts.filter((part) => part !== '').join('  ');
      const write = (): void => {
        writeLine(stream, line);
        written = Date.now();
        last = state;
        pending = undefined;
      };
      if (done >= total || Date.now() - written >= LINE_EVERY_MS) write();
      else pending = write;
    },
    say: (line) => {
      writeLine(stream, line);
    },
    stop: () => {
      pending?.();
      last = '';
      clock = new Clock();
    },
  };
}

/** Time left at the rate since the first update, which a resumed job does not begin with nothing done. */
class Clock {
  #started = 0;
  #first: number | undefined;

  see(done: number): void {
    if (this.#first !== undefined) return;
    this.#first = done;
    this.#started = Date.now();
  }

  text({ done, total }: Pick<State, 'done' | 'total'>): string {
    return remaining(Date.now() - this.#started, done - (this.#first ?? 0), total - (this.#first ?? 0));
  }
}

/** `ETA 75s`, nothing while that would be a guess, and at the end the time it took. */
export function remaining(elapsedMs: number, done: number, total: number): string {
  if (elapsedMs < 1000 || done <= 0) return '';
  if (done >= total) return duration(elapsedMs);
  return `ETA ${duration((elapsedMs / done) * (total - done))}`;
}

/** `42s`, `3m20s`, `1h05m`. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${String(seconds)}s`;
  const pad = (n: number): string => String(n).padStart(2, '0');
  if (seconds < 3600) return `${String(Math.floor(seconds / 60))}m${pad(seconds % 60)}s`;
  return `${String(Math.floor(seconds / 3600))}h${pad(Math.floor((seconds % 3600) / 60))}m`;
}
