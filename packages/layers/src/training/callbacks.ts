import type { Network } from './network.ts';
import type { FitPosition } from './position.ts';

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

/** Means by name: `loss`, `accuracy` .., `val_loss` .., `learning_rate` */
export type Logs = Record<string, number>;

/** Values with their shape, as files keep them. */
export interface StateTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What a callback has to remember to go on in another process. */
export interface CallbackState {
  /** Plain data for JSON. */
  readonly json: unknown;
  readonly tensors?: Readonly<Record<string, StateTensor>>;
}

/**
 * Called by `fit`; everything is optional and may be asynchronous. Epochs and batches count from 0. While a callback
 * is being waited for, nothing trains: it may read weights and states.
 *
 * The order is: `setModel`, `onTrainBegin`, for each epoch `onEpochBegin`, `onBatchEnd` .., `onEpochEnd`, then
 * `onTrainEnd`; each for all callbacks in the order given, as in Keras.
 */
export interface Callback {
  /** Under which its state is kept. */
  readonly name?: string;
  /** The model that is trained, told before the rest. */
  setModel?(model: Network): void;
  /** What to remember at this moment. */
  getState?(): CallbackState | Promise<CallbackState>;
  /** Called before `fit` with a state from `getState`: the next `onTrainBegin` goes on from it and starts nothing over. */
  setState?(state: CallbackState): void | Promise<void>;
  onTrainBegin?(): void | Promise<void>;
  onTrainEnd?(): void | Promise<void>;
  /** Also called when training goes on in the middle of an epoch. */
  onEpochBegin?(epoch: number): void | Promise<void>;
  /**
   * With the means of the epoch, to which a callback may add for those after it and for the history. `position` is the
   * beginning of the next epoch.
   */
  onEpochEnd?(epoch: number, logs: Logs, position: () => Promise<FitPosition>): void | Promise<void>;
  /**
   * After each batch has been handed to the GPU; nothing has been read back. `position` (behind this batch) and `logs`
   * (the means of the epoch so far) each cost a wait for the GPU and a small read.
   */
  onBatchEnd?(
    epoch: number,
    batch: number,
    position: () => Promise<FitPosition>,
    logs: () => Promise<Logs>,
  ): void | Promise<void>;
  /** When the signal has stopped training, before `run/aborted` is thrown; `onTrainEnd` is not called then. */
  onAbort?(position: FitPosition): void | Promise<void>;
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

/** The states of all callbacks that have one, by name; of several with one name the later ones are `name_1`, `name_2`. */
export async function exportCallbackStates(
  callbacks: readonly Callback[],
): Promise<Record<string, CallbackState>> {
  const states: Record<string, CallbackState> = {};
  for (const [name, callback] of named(callbacks)) {
    if (callback.getState !== undefined) states[name] = await callback.getState();
  }
  return states;
}

/** Gives callbacks the states of their likes from `exportCallbackStates`; those without one start anew. */
export async function importCallbackStates(
  callbacks: readonly Callback[],
  states: Readonly<Record<string, CallbackState>>,
): Promise<void> {
  for (const [name, callback] of named(callbacks)) {
    const state = states[name];
    if (state !== undefined) await callback.setState?.(state);
  }
}

function named(callbacks: readonly Callback[]): [string, Callback][] {
  const seen = new Map<string, number>();
  return callbacks.flatMap((callback): [string, Callback][] => {
    if (callback.name === undefined) return [];
    const count = seen.get(callback.name) ?? 0;
    seen.set(callback.name, count + 1);
    return [[count === 0 ? callback.name : `${callback.name}_${count}`, callback]];
  });
}
