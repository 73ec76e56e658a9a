import type { HistoryFile } from '../logs/index.ts';
import type { Evaluation } from './evaluation.ts';
import { count, counted, measure, percent, time } from './words.ts';

interface Outcome {
  readonly status?: 'finished' | 'stopped';
  readonly history: HistoryFile;
  readonly evaluation?: { readonly on: string; readonly result: Evaluation };
  readonly seconds?: number;
}

/** What a training came to, in one line. */
export function resultOf({ status = 'finished', history, evaluation, seconds }: Outcome): string {
  const epochs = counted(history.epoch.length, 'epoch');
  const took = seconds === undefined ? '' : ` in ${time(seconds)}`;
  const end = status === 'stopped' ? `stopped after ${epochs}${took}` : `after ${epochs}${took}`;
  const result = evaluation === undefined ? lastValues(history) : judged(evaluation);
  const text = result === '' ? end : `${result}, ${end}`;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function judged({ on, result }: { readonly on: string; readonly result: Evaluation }): string {
  const { accuracy, samples, mistakes } = result;
  return `${percent(accuracy)} of ${counted(samples, 'picture')} (${on}) right, ${count(mistakes.length)} wrong`;
}

function lastValues({ history }: HistoryFile): string {
  const shown = ['val_accuracy', 'accuracy', 'val_loss', 'loss'].filter((key) => history[key] !== undefined);
  return shown
    .slice(0, 2)
    .map((key) => `${key} ${measure(history[key]?.at(-1))}`)
    .join(', ');
}
