import { visibleLine } from '@convbase/base';
import type { Callback, Logs } from '@convbase/layers';
import { drawLine, endLine, eraseLine, writeLine } from './print.ts';
import { duration } from './progress.ts';

export interface TrainingProgressOptions {
  /** The number of epochs at the end. */
  readonly epochs: number;
  /** Steps of an epoch, where they are known beforehand. */
  readonly steps?: number;
  /** Where to show it; stderr when left out. */
  readonly stream?: NodeJS.WriteStream;
}

/** Shows how training goes; `say` lets other lines pass. */
export interface TrainingProgress extends Callback {
  readonly say: (line: string) => void;
}

const REDRAW_EVERY_MS = 100;
const BAR_WIDTH = 20;
const BAR_LEAST = 10;

/**
 * Keras' display of a training: on a terminal for each epoch its number, then steps, bar, time left, time of a step
 * and metrics, over and over in one line that at the end of the epoch stays with the results; in a pipe one plain line
 * for each epoch.
 */
export function trainingProgress({
  epochs,
  steps,
  stream = process.stderr,
}: TrainingProgressOptions): TrainingProgress {
  return stream.isTTY ? drawn(epochs, steps, stream) : plain(epochs, stream);
}

function plain(epochs: number, stream: NodeJS.WriteStream): TrainingProgress {
  let clock = new StepClock();
  const say = (line: string): void => writeLine(stream, line);
  return {
    say,
    onEpochBegin: () => {
      clock = new StepClock();
    },
    onBatchEnd: (_epoch, batch) => clock.see(batch + 1),
    onEpochEnd: (epoch, logs) => {
      const parts = [`Epoch ${epoch + 1}/${epochs}`, clock.elapsed(), clock.perStep(), ...metricsOf(logs)];
      say(parts.filter((part) => part !== '').join(' - '));
    },
  };
}

function drawn(epochs: number, steps: number | undefined, stream: NodeJS.WriteStream): TrainingProgress {
  let clock = new StepClock();
  let total = steps;
  let logs: Logs | undefined;
  let drawnAt = 0;
  const draw = (): void => {
    const time = clock.done < (total ?? Infinity) ? clock.left(total) : clock.elapsed();
    const [line = ''] = linesOf(clock.done, total, [time, clock.perStep()], logs ?? {}, stream.columns);
    drawLine(stream, line);
    drawnAt = Date.now();
  };
  /** Leaves what stands in the line, if anything does. */
  const leave = (): void => {
    if (drawnAt > 0) endLine(stream);
    drawnAt = 0;
  };
  return {
    say: (line) => {
      const redraw = drawnAt > 0;
      if (redraw) eraseLine(stream);
      writeLine(stream, line);
      if (redraw) draw();
    },
    onEpochBegin: (epoch) => {
      clock = new StepClock();
      logs = undefined;
      writeLine(stream, `Epoch ${epoch + 1}/${epochs}`);
    },
    onBatchEnd: (_epoch, batch) => {
      clock.see(batch + 1);
      if (Date.now() - drawnAt >= REDRAW_EVERY_MS) draw();
    },
    onProgress: (progress) => {
      ({ logs } = progress);
      total = progress.batchCount ?? total;
      draw();
    },
    onEpochEnd: (_epoch, results) => {
      const times = [clock.elapsed(), clock.perStep()];
      const lines = linesOf(clock.done, clock.done, times, results, stream.columns);
      eraseLine(stream);
      for (const line of lines) writeLine(stream, line);
      drawnAt = 0;
    },
    onTrainEnd: leave,
    onAbort: leave,
  };
}

/**
 * ` 63/100 ━━━━━━━━━━━━──────── ETA 12s 45ms/step - accuracy: 0.9123 - loss: 0.1234`, in lines that are shorter than
 * the terminal is wide: a full line makes some terminals wrap.
 */
export function linesOf(
  done: number,
  total: number | undefined,
  times: readonly string[],
  logs: Logs,
  columns = 80,
): string[] {
  const metrics = metricsOf(logs);
  const numbers =
    total === undefined ? `${done}/Unknown` : `${String(done).padStart(String(total).length)}/${total}`;
  const rest = [...times.filter((time) => time !== ''), ...metrics.map((text) => `- ${text}`)];
  const room = columns - 2 - [numbers, ...rest].join(' ').length;
  // A bar that gives way lets everything stand in one line; where even that does not help, it need not.
  const width = room >= BAR_LEAST ? Math.min(BAR_WIDTH, room) : columns < 60 ? 0 : BAR_WIDTH;
  const filled = total === undefined ? 0 : Math.floor((Math.min(done, total) / Math.max(1, total)) * width);
  const bar = total === undefined ? '' : '━'.repeat(filled) + '─'.repeat(width - filled);
  const lines = [[numbers, bar, ...times].filter((part) => part !== '').join(' ')];
  const indent = ' '.repeat(numbers.length + 1);
  for (const metric of metrics) {
    const longer = `${lines.at(-1) ?? ''} - ${metric}`;
    if (longer.length < columns) lines[lines.length - 1] = longer;
    else lines.push(indent + metric);
  }
  return lines.map((line) => line.slice(0, Math.max(1, columns - 1)));
}

/** `accuracy: 0.9123`, sorted by name and written as Keras does. */
function metricsOf(logs: Logs): string[] {
  return Object.entries(logs)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${visibleLine(name)}: ${metric(value)}`);
}

function metric(value: number): string {
  if (!Number.isFinite(value)) return String(value).toLowerCase();
  // Two digits in the exponent, as in Python.
  if (Math.abs(value) > 1e-3) return value.toFixed(4);
  return value.toExponential(4).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** The time of the steps of one epoch. As in Keras the first one, which may wait for shaders, does not count. */
class StepClock {
  readonly #started = Date.now();
  #first: { readonly done: number; readonly at: number } | undefined;
  #last = Date.now();
  done = 0;

  see(done: number): void {
    this.done = done;
    this.#last = Date.now();
    this.#first ??= { done, at: this.#last };
  }

  elapsed(): string {
    return duration(Date.now() - this.#started);
  }

  left(total: number | undefined): string {
    const each = this.#millisecondsPerStep();
    return each === undefined || total === undefined ? '' : `ETA ${duration(each * (total - this.done))}`;
  }

  /** `1s/step`, `45ms/step`, `320us/step`; nothing before the first step. */
  perStep(): string {
    const each = this.#millisecondsPerStep();
    if (each === undefined) return '';
    if (each >= 1000) return `${Math.round(each / 1000)}s/step`;
    return each >= 1 ? `${Math.round(each)}ms/step` : `${Math.round(each * 1000)}us/step`;
  }

  #millisecondsPerStep(): number | undefined {
    if (this.#first === undefined) return undefined;
    const steps = this.done - this.#first.done;
    return steps === 0 ? this.#last - this.#started : (this.#last - this.#first.at) / steps;
  }
}
