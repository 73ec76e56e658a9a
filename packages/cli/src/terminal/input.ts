import type { Gpu } from '@convbase/core-gpu';
import type { InputMeter } from '@convbase/layers';
import { describeInput, inputReport, type InputReport } from '@convbase/training';

/** What a command waited for, for `--json` and for people; nothing of a command that computed nothing. */
export interface Waiting {
  readonly input?: InputReport;
  readonly lines: readonly string[];
}

/**
 * @param adapter what was computed on; nothing where no GPU was opened
 * @param batches the option that says how many are computed at once, if there is one
 */
export function waitingOf(
  meter: InputMeter,
  what: 'pictures' | 'features',
  adapter: Gpu['adapter'] | undefined,
  batches?: '--batch-size',
): Waiting {
  if (meter.times().batches === 0) return { lines: [] };
  const input = inputReport(meter);
  const place = { what, software: adapter?.kind === 'software', ...(batches && { batches }) };
  return { input, lines: describeInput(input, place) };
}
