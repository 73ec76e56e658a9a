import type { RungResult } from './climb.ts';

/** Sums in another order differ by about 1e-6; a rung this far from the first one computes something else. */
export const WRONG_FROM = 1e-4;

/** The rungs as lines of a table, the first line its head. */
export function table(results: readonly RungResult[]): string[] {
  const rows = results.map(({ rung, milliseconds, gigaflops, speedup, difference }) => [
    rung,
    milliseconds.toPrecision(3),
    gigaflops.toPrecision(3),
    `${speedup.toFixed(2)}x`,
    difference < WRONG_FROM ? difference.toExponential(0) : `WRONG (${difference.toExponential(0)})`,
  ]);
  const lines = [['rung', 'ms', 'GFLOP/s', 'speed', 'difference'], ...rows];
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
}
