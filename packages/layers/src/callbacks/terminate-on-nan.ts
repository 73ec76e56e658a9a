import { ConvbaseError } from '@convbase/base';
import type { Callback, Logs } from '../training/callbacks.ts';
import type { Network } from '../training/network.ts';
import type { FitPosition } from '../training/position.ts';

export interface TerminateOnNaNConfig {
  /** Throws `training/diverged` instead of ending training in order. */
  readonly raiseError?: boolean;
  /** Told when training stops. */
  readonly print?: (line: string) => void;
}

/**
 * Ends training after the first batch that makes the epoch's loss NaN or infinite, as Keras'. It looks at the loss
 * after every batch, which costs a wait for the GPU each time.
 */
export class TerminateOnNaN implements Callback {
  readonly name = 'TerminateOnNaN';
  readonly #config: TerminateOnNaNConfig;
  #network: Network | null = null;

  constructor(config: TerminateOnNaNConfig = {}) {
    this.#config = config;
  }

  setModel(network: Network): void {
    this.#network = network;
  }

  async onBatchEnd(
    _epoch: number,
    batch: number,
    _position: () => Promise<FitPosition>,
    logs: () => Promise<Logs>,
  ): Promise<void> {
    const { loss } = await logs();
    if (loss === undefined || Number.isFinite(loss)) return;
    if (this.#config.raiseError === true) {
      throw new ConvbaseError('training/diverged', `the loss is ${loss} after batch ${batch}`, {
        fix: 'Use a lower learning rate, or clip gradients.',
      });
    }
    this.#config.print?.(`Batch ${batch}: Invalid loss, terminating training`);
    if (this.#network !== null) this.#network.stopTraining = true;
  }
}
