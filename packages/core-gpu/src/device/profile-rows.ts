import type { Phase } from './label.ts';

/** GPU time of all calls of one kernel variant. */
export interface ProfileRow {
  readonly kernel: string;
  readonly variant: string;
  readonly calls: number;
  readonly milliseconds: number;
  readonly flops: number;
}

/** One dispatch as the GPU ran it. */
export interface ProfileEvent {
  readonly kernel: string;
  readonly variant: string;
  readonly shader: string;
  readonly layer: string;
  readonly phase: Phase;
  /** The dispatch's share of its plan's arithmetic and of the bytes it has to touch. */
  readonly flops: number;
  readonly bytes: number;
  /** Nanoseconds since the first event of this device. */
  readonly start: number;
  readonly nanoseconds: number;
}

/** The rows as a table for people: time, share of it, calls, speed, kernel. */
export function profileTable(rows: readonly ProfileRow[]): string {
  const total = rows.reduce((sum, row) => sum + row.milliseconds, 0);
  const lines = rows.map(({ kernel, variant, calls, milliseconds, flops }) =>
    [
      milliseconds.toFixed(2).padStart(10),
      `${((100 * milliseconds) / total).toFixed(1)} %`.padStart(8),
      String(calls).padStart(7),
      (flops / milliseconds / 1e6).toFixed(1).padStart(9),
      ` ${kernel}, ${variant}`,
    ].join(''),
  );
  return ['        ms   share  calls  GFLOP/s  kernel', ...lines].join('\n');
}
