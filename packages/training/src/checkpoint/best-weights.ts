import { ConvbaseError } from '@convbase/base';
import { exists, readBounded, writeFileAtomic } from '@convbase/base/node';
import {
  Monitor,
  readTrainedWeights,
  writeTrainedWeights,
  type Callback,
  type Logs,
  type Network,
  type StateTensor,
} from '@convbase/layers';
import { readSafetensors, writeSafetensors } from '@convbase/models';
import { z } from 'zod';
import { MAX_BYTES } from './checkpoint-file.ts';
import { ownJson } from './own-json.ts';

const recordSchema = z.object({
  stage: z.string(),
  monitor: z.string(),
  epoch: z.number().int().nonnegative(),
  value: z.number(),
});

/** Which epoch was the best so far. */
export type BestRecord = z.infer<typeof recordSchema>;

/**
 * Keeps the weights of the epoch with the best value of a quantity in a file of their own, and puts them back at the
 * end. What is the best so far is in that file and nowhere else: an epoch that is trained again after a crash finds
 * what it left.
 */
export class BestWeights implements Callback {
  readonly #path: string;
  readonly #network: Network;
  readonly #stage: string;
  readonly #monitor: Monitor;
  #best: BestRecord | undefined;

  constructor(path: string, network: Network, stage: string, monitor: string) {
    this.#path = path;
    this.#network = network;
    this.#stage = stage;
    this.#monitor = new Monitor({ monitor });
  }

  async onTrainBegin(): Promise<void> {
    this.#best = (await this.#read())?.record;
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const monitor = this.#monitor.key;
    const value = logs[monitor];
    if (value === undefined) {
      throw new ConvbaseError('recipe/monitor', `there is no ${monitor} of which the best could be kept`, {
        where: `stage ${this.#stage}`,
        fix: `An epoch has ${Object.keys(logs).join(', ')}.`,
      });
    }
    // Nothing is better than NaN; JSON could not keep it either.
    if (!Number.isFinite(value) || !this.#monitor.improves(value, this.#best?.value ?? null, this.#network)) {
      return;
    }
    const record = { stage: this.#stage, monitor, epoch, value };
    const tensors = await readTrainedWeights(this.#network);
    await writeFileAtomic(this.#path, writeSafetensors(tensors, { best: JSON.stringify(record) }));
    this.#best = record;
  }

  /** Gives the model the best weights; undefined where no epoch had any. */
  async restore(): Promise<BestRecord | undefined> {
    const found = await this.#read();
    if (found === undefined) return undefined;
    const tensors: Record<string, StateTensor> = {};
    for (const [name, entry] of found.file.tensors) {
      tensors[name] = { shape: entry.shape, data: entry.read() };
    }
    writeTrainedWeights(this.#network, tensors);
    return found.record;
  }

  async #read(): Promise<{ record: BestRecord; file: ReturnType<typeof readSafetensors> } | undefined> {
    if (!(await exists(this.#path))) return undefined;
    const file = readSafetensors(await readBounded(this.#path, MAX_BYTES), this.#path);
    const record = ownJson(recordSchema, file.metadata['best'], 'checkpoint/damaged', this.#path);
    return record.stage === this.#stage ? { record, file } : undefined;
  }
}
