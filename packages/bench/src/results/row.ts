import { median } from '@convbase/core-gpu';
import type { Case } from '../cases/case.ts';
import type { Cost } from '../cases/cost.ts';
import type { Verdict } from '../gate/gate.ts';
import { percentile } from '../numbers.ts';
import type { Outcome } from '../race/race.ts';
import type { Roofline } from '../roofline/roofline.ts';
import type { Row } from './schema.ts';

/** The least time that the work takes on an adapter, piece by piece limited by arithmetic or by memory. */
export function limitOf(cost: readonly Cost[], { gigaflops, gigabytes }: Roofline): number | null {
  if (cost.length === 0) return null;
  return cost.reduce(
    (sum, { flops, bytes }) => sum + Math.max(flops / gigaflops, bytes / gigabytes) / 1e6,
    0,
  );
}

/** Rows again, with the limits that another roofline sets. */
export function withLimit(rows: readonly Row[], limitMs: number | null): Row[] {
  return rows.map((row) => ({ ...row, limitMs, shareOfLimit: shareOf(row, limitMs) }));
}

/** Of contenders on the adapter: what runs on the processor has other limits. */
function shareOf({ adapterKind, medianMs }: Row, limitMs: number | null): number | null {
  const onAdapter = adapterKind === 'gpu' || adapterKind === 'software';
  return onAdapter && medianMs !== null && limitMs !== null ? limitMs / medianMs : null;
}

/** The contender that ratios are taken against. */
export const BASE = 'tfjs-webgpu';

/** A case's rows, from what became of its sides and what the gate says of them. */
export function rowsOf(
  { id, title, group, pictures }: Pick<Case, 'id' | 'title' | 'group' | 'pictures'>,
  sides: readonly { readonly contender: string; readonly outcome: Outcome; readonly verdict: Verdict }[],
): Row[] {
  const rows = sides.map(({ contender, outcome, verdict }): Row => {
    const { label, runner, error, peakGpuBytes, peakResidentBytes } = outcome;
    const { correct, difference, reference } = verdict;
    const wrong =
      correct === false
        ? `wrong result: ${describe(difference)} from ${reference ?? ''}`
        : outcome.timings.length === 0
          ? 'no run was finished'
          : undefined;
    const message = error?.message ?? wrong;
    const timings = message === undefined ? outcome.timings : [];
    const times = timings.map(({ milliseconds }) => milliseconds);
    const medianMs = finite(median(times));
    return {
      case: id,
      title,
      group,
      contender,
      label,
      pictures,
      medianMs,
      p95Ms: finite(percentile(times, 0.95)),
      minMs: finite(Math.min(...times)),
      maxMs: finite(Math.max(...times)),
      cpuMs: finite(median(timings.map(({ cpuMilliseconds }) => cpuMilliseconds))),
      runs: times.length,
      ratioToTfjsWebgpu: null,
      limitMs: null,
      shareOfLimit: null,
      correct: error === undefined ? correct : null,
      difference: difference === undefined ? null : finite(difference),
      ...(reference === undefined ? {} : { reference }),
      adapter: runner?.name ?? '',
      adapterKind: runner?.kind ?? 'unknown',
      peakResidentMiB: mebibytes(peakResidentBytes),
      peakGpuMiB: mebibytes(peakGpuBytes),
      ...(message === undefined ? {} : { error: message }),
      ...(error?.unsupported === true ? { unsupported: true } : {}),
    };
  });
  const base = rows.find(({ contender }) => contender === BASE)?.medianMs ?? null;
  return rows.map((row) => ({
    ...row,
    ratioToTfjsWebgpu: base === null || row.medianMs === null ? null : base / row.medianMs,
  }));
}

function describe(difference: number | undefined): string {
  if (difference === undefined || Number.isNaN(difference)) return 'not a number, or of another size,';
  return `a relative difference of ${difference.toExponential(1)}`;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function mebibytes(bytes: number | undefined): number | null {
  return bytes === undefined ? null : Math.round(bytes / 2 ** 20);
}
