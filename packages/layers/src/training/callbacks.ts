/** Where training is, and the means of the current epoch so far. */
export interface Progress {
  readonly epoch: number;
  readonly epochs: number;
  /** Batches done in this epoch. */
  readonly batch: number;
  /** Batches in an epoch, where the dataset knows. */
  readonly batchCount: number | undefined;
  readonly samples: number;
  readonly logs: Readonly<Record<string, number>>;
}

type Logs = Readonly<Record<string, number>>;

/** Called by `fit`; everything is optional and may be asynchronous. Epochs count from 0. */
export interface Callback {
  onTrainBegin?(): void | Promise<void>;
  onTrainEnd?(): void | Promise<void>;
  onEpochBegin?(epoch: number): void | Promise<void>;
  /** Means of the epoch: `loss`, `accuracy` .., `val_loss` .. */
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
  /** After each batch has been handed to the GPU; nothing has been read back. */
  onBatchEnd?(epoch: number, batch: number): void | Promise<void>;
  /** A few times a second; each costs one small read from the GPU. */
  onProgress?(progress: Progress): void | Promise<void>;
}

/** A line for each epoch, as Keras' `verbose=2`. */
export function epochLines(print: (line: string) => void, epochs: number): Callback {
  let begin = 0;
  return {
    onEpochBegin() {
      begin = performance.now();
    },
    onEpochEnd(epoch, logs) {
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      const values = Object.entries(logs).map(([name, value]) => `${name}: ${value.toFixed(4)}`);
      print([`Epoch ${epoch + 1}/${epochs}`, `${seconds}s`, ...values].join(' - '));
    },
  };
}
