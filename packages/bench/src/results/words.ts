import { visibleLine } from '@convbase/base';
import type { Results, Row } from './schema.ts';

/** Milliseconds in three digits, larger ones in seconds: `4.21 ms`, `312 ms`, `15.2 s`. */
export function time(milliseconds: number): string {
  return milliseconds >= 10_000 ? `${digits(milliseconds / 1000)} s` : `${digits(milliseconds)} ms`;
}

/** Three digits, but whole numbers stay whole. */
export function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** `8.31x`. */
export function ratio(value: number | null): string {
  return value === null ? '' : `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)}x`;
}

/** `36 %`. */
export function percent(value: number | null): string {
  return value === null ? '' : `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`;
}

/** How far apart the runs were, as a share of their median: half of the distance between the least and the most. */
export function spread({ minMs, maxMs, medianMs }: Row): number | null {
  return minMs === null || maxMs === null || medianMs === null ? null : (maxMs - minMs) / 2 / medianMs;
}

/** What a row runs on, and that a software adapter is one. */
export function runsOn({ adapter, adapterKind }: Row): string {
  if (adapterKind === 'software') return `${adapter} (software adapter)`;
  return adapterKind === 'cpu' ? `${adapter} (processor)` : adapter;
}

/** What stands in place of a time. */
export function failure({ error = '', unsupported = false }: Row): string {
  return unsupported ? `cannot: ${error}` : `failed: ${error}`;
}

/** The first line of an error, no longer than `length`. */
export function shorten(text: string, length: number): string {
  const line = visibleLine(text.split('\n')[0] ?? '');
  return line.length <= length ? line : `${line.slice(0, length - 2)}..`;
}

/** What the results were measured on, in a sentence. */
export function measuredOn({ adapter, machine }: Pick<Results, 'adapter' | 'machine'>): string {
  const kind = { software: 'a software adapter: it runs on the processor', gpu: 'a GPU', null: 'no adapter' };
  return `${adapter.name} (${kind[adapter.kind]}); ${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.system}`;
}

/** Rows and figures case by case, in order. */
export function byCase(results: Results): {
  id: string;
  title: string;
  group: string;
  rows: Row[];
  figures: Results['figures'];
}[] {
  const ids = [...new Set(results.rows.map((row) => row.case))];
  return ids.map((id) => {
    const rows = results.rows.filter((row) => row.case === id);
    const { title = id, group = '' } = rows[0] ?? {};
    return { id, title, group, rows, figures: results.figures.filter((figure) => figure.case === id) };
  });
}
