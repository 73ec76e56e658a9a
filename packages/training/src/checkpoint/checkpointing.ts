import type { Callback, FitPosition } from '@convbase/layers';

/**
 * Saves at the beginning, after every epoch, when training is stopped by its signal, and within an epoch whenever so many seconds have
 * passed. To be the last of the callbacks, so that what is saved includes what the others made of the epoch.
 */
export function checkpointing(
  save: (position: FitPosition) => Promise<void>,
  start: FitPosition,
  everySeconds: number,
): Callback {
  let saved = performance.now();
  const now = async (position: FitPosition): Promise<void> => {
    await save(position);
    saved = performance.now();
  };
  return {
    onTrainBegin: () => now(start),
    async onBatchEnd(_epoch, _batch, position) {
      if (performance.now() - saved >= everySeconds * 1000) await now(await position());
    },
    async onEpochEnd(_epoch, _logs, position) {
      await now(await position());
    },
    onAbort: now,
  };
}
