import { ConvbaseError } from '@convbase/base';

/**
 * The sums of an epoch so far, exactly: the bits of float32 numbers as whole numbers, which JSON keeps (it has no NaN).
 */
export interface TotalsState {
  readonly samples: number;
  /** The sum of the losses, then the hits of each metric. */
  readonly sums: readonly number[];
  /** What each metric's hits are out of. */
  readonly chances: readonly number[];
}

/** Where in the data a training is. Plain data for JSON; a fit that starts there goes on as if it had never stopped. */
export interface FitPosition {
  readonly epoch: number;
  /** Batches of that epoch that are done. */
  readonly batch: number;
  /** What they have added up to; null at the beginning of an epoch. */
  readonly totals: TotalsState | null;
}

/** The position before the first batch of an epoch. */
export function epochStart(epoch: number): FitPosition {
  return { epoch, batch: 0, totals: null };
}

/** Throws `state/mismatch` for a position that cannot be, as a damaged file may hold. */
export function checkPosition({ epoch, batch, totals }: FitPosition): void {
  const counts = [epoch, batch, totals?.samples ?? 0, ...(totals?.sums ?? []), ...(totals?.chances ?? [])];
  if (counts.every((count) => Number.isSafeInteger(count) && count >= 0)) return;
  throw new ConvbaseError('state/mismatch', `there is no batch ${batch} of epoch ${epoch}`, {
    fix: 'Start from a position that a callback was given.',
  });
}
