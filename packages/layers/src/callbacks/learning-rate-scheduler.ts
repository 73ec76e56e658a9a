import { ConvbaseError } from '@convbase/base';
import type { Callback, CallbackState, Logs } from '../training/callbacks.ts';
import type { Network } from '../training/network.ts';
import { packNumbers, unpackNumbers } from './state.ts';

/** Sets the learning rate at the beginning of each epoch, from the epoch's number and the rate so far. */
export class LearningRateScheduler implements Callback {
  readonly name = 'LearningRateScheduler';
  readonly #schedule: (epoch: number, learningRate: number) => number;
  readonly #print: ((line: string) => void) | undefined;
  #network: Network | null = null;
  /** The epoch whose rate has been set: an epoch that is gone on with keeps it. */
  #done: number | null = null;
  #resumed = false;

  constructor(
    schedule: (epoch: number, learningRate: number) => number,
    config: { readonly print?: (line: string) => void } = {},
  ) {
    this.#schedule = schedule;
    this.#print = config.print;
  }

  setModel(network: Network): void {
    this.#network = network;
  }

  getState(): CallbackState {
    return { json: packNumbers({ done: this.#done }) };
  }

  setState(state: CallbackState): void {
    this.#done = unpackNumbers(state, this.name)('done');
    this.#resumed = true;
  }

  onTrainBegin(): void {
    if (!this.#resumed) this.#done = null;
    this.#resumed = false;
  }

  onEpochBegin(epoch: number): void {
    if (epoch === this.#done) return;
    const { optimizer } = this.#model.compiled;
    const learningRate = this.#schedule(epoch, Math.fround(optimizer.learningRate));
    if (!Number.isFinite(learningRate)) {
      throw new ConvbaseError(
        'callback/schedule',
        `the schedule gave ${learningRate} as learning rate of epoch ${epoch}`,
        {
          fix: 'It has to return a number.',
        },
      );
    }
    optimizer.learningRate = learningRate;
    this.#done = epoch;
    this.#print?.(`Epoch ${epoch + 1}: LearningRateScheduler setting learning rate to ${learningRate}.`);
  }

  onEpochEnd(_epoch: number, logs: Logs): void {
    logs['learning_rate'] = Math.fround(this.#model.compiled.optimizer.learningRate);
  }

  get #model(): Network {
    if (this.#network !== null) return this.#network;
    throw new ConvbaseError('callback/model', 'LearningRateScheduler has no model: it is for `model.fit`');
  }
}
