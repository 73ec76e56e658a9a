import { ConvbaseError } from '@convbase/base';
import type { Callback, CallbackState, Logs } from '../training/callbacks.ts';
import type { Network } from '../training/network.ts';
import { Monitor, type MonitorConfig } from './monitor.ts';
import { packNumbers, unpackNumbers } from './state.ts';

export interface ReduceLROnPlateauConfig extends MonitorConfig {
  /** What the learning rate is multiplied by, below 1; 0.1 when left out. */
  readonly factor?: number;
  /** Epochs without improvement after which it is reduced; 10 when left out. */
  readonly patience?: number;
  /** Smaller changes are none; 1e-4 when left out. */
  readonly minDelta?: number;
  /** Epochs after a reduction that do not count; 0 when left out. */
  readonly cooldown?: number;
  /** It is not reduced below this; 0 when left out. */
  readonly minLr?: number;
  /** Told of each reduction. */
  readonly print?: (line: string) => void;
}

/** Reduces the learning rate when a monitored number has stopped improving, by Keras' rule. */
export class ReduceLROnPlateau implements Callback {
  readonly name = 'ReduceLROnPlateau';
  readonly #monitor: Monitor;
  readonly #config: ReduceLROnPlateauConfig;
  readonly #factor: number;
  #network: Network | null = null;
  #resumed = false;
  #best: number | null = null;
  #wait = 0;
  #cooldown = 0;

  constructor(config: ReduceLROnPlateauConfig = {}) {
    this.#monitor = new Monitor({ minDelta: 1e-4, ...config });
    this.#config = config;
    this.#factor = config.factor ?? 0.1;
    if (this.#factor >= 1) {
      throw new ConvbaseError(
        'callback/factor',
        `a factor of ${this.#factor} does not reduce the learning rate`,
        {
          fix: 'Give a number below 1.',
        },
      );
    }
  }

  setModel(network: Network): void {
    this.#network = network;
  }

  getState(): CallbackState {
    return { json: packNumbers({ best: this.#best, wait: this.#wait, cooldown: this.#cooldown }) };
  }

  setState(state: CallbackState): void {
    const number = unpackNumbers(state, this.name);
    this.#best = number('best');
    this.#wait = number('wait') ?? 0;
    this.#cooldown = number('cooldown') ?? 0;
    this.#resumed = true;
  }

  onTrainBegin(): void {
    if (!this.#resumed) {
      this.#best = null;
      this.#wait = 0;
      this.#cooldown = 0;
    }
    this.#resumed = false;
  }

  onEpochEnd(epoch: number, logs: Logs): void {
    const { patience = 10, print } = this.#config;
    const network = this.#model;
    logs['learning_rate'] = Math.fround(network.compiled.optimizer.learningRate);
    const current = this.#monitor.read('ReduceLROnPlateau', logs, network, print);
    if (current === undefined) return;
    if (this.#cooldown > 0) {
      this.#cooldown--;
      this.#wait = 0;
    }
    if (this.#monitor.improves(current, this.#best, network)) {
      this.#best = current;
      this.#wait = 0;
    } else if (this.#cooldown === 0) {
      this.#wait++;
      if (this.#wait >= patience) this.#reduce(epoch, network);
    }
  }

  /** In float32, where Keras keeps the learning rate. */
  #reduce(epoch: number, { compiled: { optimizer } }: Network): void {
    const { minLr = 0, cooldown = 0, print } = this.#config;
    const before = Math.fround(optimizer.learningRate);
    if (before <= Math.fround(minLr)) return;
    const after = Math.max(before * this.#factor, minLr);
    optimizer.learningRate = after;
    this.#cooldown = cooldown;
    this.#wait = 0;
    print?.(`Epoch ${epoch + 1}: ReduceLROnPlateau reducing learning rate to ${after}.`);
  }

  get #model(): Network {
    if (this.#network !== null) return this.#network;
    throw new ConvbaseError('callback/model', 'ReduceLROnPlateau has no model: it is for `model.fit`');
  }
}
