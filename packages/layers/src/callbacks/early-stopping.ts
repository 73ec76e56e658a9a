import { ConvbaseError } from '@convbase/base';
import type { Callback, CallbackState, Logs, StateTensor } from '../training/callbacks.ts';
import type { Network } from '../training/network.ts';
import { readTrainedWeights, writeTrainedWeights } from '../training/trained-weights.ts';
import { Monitor, type MonitorConfig } from './monitor.ts';
import { packNumbers, unpackNumbers } from './state.ts';

export interface EarlyStoppingConfig extends MonitorConfig {
  /** Epochs without improvement after which training stops; 0 when left out. */
  readonly patience?: number;
  /** Improvements only count once they are better than this, too. */
  readonly baseline?: number | null;
  /** Whether the weights of the best epoch are put back at the end. */
  readonly restoreBestWeights?: boolean;
  /** Epochs before this one are not looked at; 0 when left out. */
  readonly startFromEpoch?: number;
  /** Told when training stops and when weights are put back. */
  readonly print?: (line: string) => void;
}

/** Ends training when a monitored number has stopped improving, by Keras' rule. */
export class EarlyStopping implements Callback {
  readonly name = 'EarlyStopping';
  readonly #monitor: Monitor;
  readonly #config: EarlyStoppingConfig;
  #network: Network | null = null;
  #resumed = false;
  #wait = 0;
  #stoppedEpoch = 0;
  #best: number | null = null;
  #bestEpoch = 0;
  #bestWeights: Readonly<Record<string, StateTensor>> | null = null;

  constructor(config: EarlyStoppingConfig = {}) {
    this.#monitor = new Monitor(config);
    this.#config = config;
  }

  /** The epoch after which training was stopped; 0 when it was not. */
  get stoppedEpoch(): number {
    return this.#stoppedEpoch;
  }

  /** The best value so far, and the epoch it is from. */
  get best(): { readonly value: number | null; readonly epoch: number } {
    return { value: this.#best, epoch: this.#bestEpoch };
  }

  setModel(network: Network): void {
    this.#network = network;
  }

  getState(): CallbackState {
    const json = packNumbers({
      wait: this.#wait,
      stoppedEpoch: this.#stoppedEpoch,
      best: this.#best,
      bestEpoch: this.#bestEpoch,
    });
    return this.#bestWeights === null ? { json } : { json, tensors: this.#bestWeights };
  }

  setState(state: CallbackState): void {
    const number = unpackNumbers(state, this.name);
    this.#wait = number('wait') ?? 0;
    this.#stoppedEpoch = number('stoppedEpoch') ?? 0;
    this.#best = number('best');
    this.#bestEpoch = number('bestEpoch') ?? 0;
    this.#bestWeights = state.tensors ?? null;
    this.#resumed = true;
  }

  onTrainBegin(): void {
    if (this.#resumed) {
      this.#resumed = false;
      if (this.#stoppedEpoch > 0) this.#model.stopTraining = true;
      return;
    }
    this.#wait = 0;
    this.#stoppedEpoch = 0;
    this.#best = null;
    this.#bestEpoch = 0;
    this.#bestWeights = null;
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const {
      patience = 0,
      baseline = null,
      restoreBestWeights = false,
      startFromEpoch = 0,
      print,
    } = this.#config;
    const current = this.#monitor.read('EarlyStopping', logs, this.#model, print);
    if (current === undefined || epoch < startFromEpoch) return;
    const improves = (reference: number | null): boolean =>
      this.#monitor.improves(current, reference, this.#model);
    this.#wait++;
    if (improves(this.#best)) {
      this.#best = current;
      this.#bestEpoch = epoch;
      if (restoreBestWeights) this.#bestWeights = await readTrainedWeights(this.#model);
      if (baseline === null || improves(baseline)) this.#wait = 0;
      return;
    }
    if (this.#wait >= patience && epoch > 0) {
      this.#stoppedEpoch = epoch;
      this.#model.stopTraining = true;
    }
  }

  onTrainEnd(): void {
    const { print } = this.#config;
    if (this.#stoppedEpoch > 0) print?.(`Epoch ${this.#stoppedEpoch + 1}: early stopping`);
    if (this.#bestWeights === null) return;
    print?.(`Restoring model weights from the end of the best epoch: ${this.#bestEpoch + 1}.`);
    writeTrainedWeights(this.#model, this.#bestWeights);
  }

  get #model(): Network {
    if (this.#network !== null) return this.#network;
    throw new ConvbaseError('callback/model', 'EarlyStopping has no model: it is for `model.fit`');
  }
}
