import { visibleLine } from '@convbase/base';
import { BASE } from './row.ts';
import type { LadderResult, Results, Row } from './schema.ts';
import {
  byCase,
  digits,
  failure,
  measuredOn,
  percent,
  ratio,
  runsOn,
  shorten,
  spread,
  time,
} from './words.ts';

const head = [
  'case and contender',
  'median',
  'p95',
  'spread',
  'runs',
  'processor time',
  'times as fast as tfjs webgpu',
  'share of limit',
  'checked against',
  'peak memory',
  'on',
];

/** The results as Markdown: what they were measured on, a table, and what did not work. */
export function markdownOf(results: Results): string {
  const { adapter, date, set, versions, missing } = results;
  const { gigaflops, gigabytes } = adapter.roofline;
  return [
    `Measured on ${measuredOn(results)}.`,
    `Set \`${set}\`, ${date.slice(0, 10)}, ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    `The adapter's own limits, measured: ${digits(gigaflops)} GFLOP/s of float32 multiply-adds, ${digits(gigabytes)} GB/s copied.`,
    '',
    ...tableOf(results),
    ...(missing.length === 0
      ? []
      : ['', ...missing.map(({ contender, why }) => `- ${contender} did not take part: ${why}.`)]),
    ...(results.ladders ?? []).flatMap(ladderOf),
    '',
  ]
    .map(visibleLine)
    .join('\n');
}

function ladderOf({ kernel, problem, rungs }: LadderResult): string[] {
  return [
    '',
    `Versions of \`${kernel}\`, ${problem}:`,
    '',
    line(['version', 'median', 'GFLOP/s', 'times as fast as the first', 'difference']),
    '| --- | --- | --- | --- | --- |',
    ...rungs.map(({ rung, milliseconds, gigaflops, speedup, difference }) =>
      line(
        milliseconds === null || gigaflops === null
          ? [rung, 'wrong result', '', '', '']
          : [rung, time(milliseconds), digits(gigaflops), ratio(speedup), difference?.toExponential(0) ?? ''],
      ),
    ),
  ];
}

function tableOf(results: Results): string[] {
  const lines = byCase(results).flatMap(({ id, title, rows, figures }) => [
    line([`**${title}** \`${id}\``, ...Array<string>(head.length - 1).fill('')]),
    ...rows.map((row) => line(cells(row))),
    ...figures.map(({ contender, medianMs, adapter, note }) => {
      const from = [adapter, 'measured elsewhere', note].filter(Boolean).join('; ');
      return line([contender, time(medianMs), ...Array<string>(head.length - 3).fill(''), from]);
    }),
  ]);
  return [
    line(head),
    `| --- | ${Array<string>(head.length - 1)
      .fill('---')
      .join(' | ')} |`,
    ...lines,
  ];
}

function cells(row: Row): string[] {
  const on = runsOn(row);
  if (row.medianMs === null) {
    const nothing = Array<string>(head.length - 3).fill('');
    return [row.label, shorten(failure(row), 160), ...nothing, on];
  }
  const checked = row.correct === null ? 'nothing to compare with' : (row.reference ?? '');
  const difference =
    row.correct === null || row.difference === null ? '' : ` (${row.difference.toExponential(0)})`;
  const memory = [
    row.peakResidentMiB === null ? '' : `${row.peakResidentMiB} MiB`,
    row.peakGpuMiB === null ? '' : `GPU ${row.peakGpuMiB} MiB`,
  ];
  return [
    row.label,
    time(row.medianMs),
    time(row.p95Ms ?? NaN),
    `±${percent(spread(row))}`,
    String(row.runs),
    row.cpuMs === null ? '' : time(row.cpuMs),
    row.contender === BASE ? '1' : ratio(row.ratioToTfjsWebgpu),
    percent(row.shareOfLimit),
    checked + difference,
    memory.filter(Boolean).join(', '),
    on,
  ];
}

function line(values: readonly string[]): string {
  return `| ${values.map((value) => value.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
