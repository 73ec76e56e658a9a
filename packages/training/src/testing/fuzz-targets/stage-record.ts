import type { StageRecord } from '../../checkpoint/index.ts';

/** A stage as checkpoints and runs tell of it. */
export const stageRecord: StageRecord = {
  ...{ name: 'head', firstEpoch: 0, epochs: 2, seconds: 1.5 },
  best: { monitor: 'val_loss', epoch: 1, value: 0.25 },
  logs: { loss: 0.5, val_loss: null },
  test: null,
  trainable: { variables: 4, parameters: 10, of: 20 },
  frozen: { layers: 3, cached: true },
};
