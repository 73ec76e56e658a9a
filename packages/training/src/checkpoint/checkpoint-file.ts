import { exists, readBounded, writeFileAtomic } from '@convbase/base/node';
import type { CallbackState, FitPosition, StateTensor, TrainingState } from '@convbase/layers';
import { readSafetensors, writeSafetensors } from '@convbase/models';
import { z } from 'zod';
import { ownJson } from './own-json.ts';

const whole = z.number().int().nonnegative();

/** What a model made of pictures that it has not learned from. */
export const judgedSchema = z.object({
  /** `test` or `validation` */
  on: z.string(),
  samples: z.number(),
  loss: z.number().nullable(),
  accuracy: z.number(),
});

/** What became of a stage. */
export const stageRecordSchema = z.object({
  name: z.string(),
  /** Counted from 0 over the whole run. */
  firstEpoch: whole,
  /** Epochs that ran. */
  epochs: whole,
  seconds: z.number(),
  /** The epoch whose weights the stage ended with, where these were not simply the last. */
  best: z.object({ monitor: z.string(), epoch: whole, value: z.number() }).nullable(),
  /** Means of that epoch; null for what is no finite number. */
  logs: z.record(z.string(), z.number().nullable()),
  /** What the model that the stage ended with made of the test pictures. */
  test: judgedSchema.nullable(),
  /** As `model.trainableWeights.length` and `summary` count. */
  trainable: z.object({ variables: whole, parameters: whole, of: whole }),
  /** Layers of the frozen part in front, and whether its outputs were computed once for all epochs. */
  frozen: z.object({ layers: whole, cached: z.boolean() }),
});

export type StageRecord = z.infer<typeof stageRecordSchema>;

/** Everything that a run needs to go on as if it had not been interrupted. */
export interface Checkpoint {
  /** SHA-256 of the base's weight file: weights that no stage has trained are there, not here. */
  readonly base: string;
  readonly adapter: string;
  /** Stages that are done. */
  readonly done: readonly StageRecord[];
  /** Where in the stage that comes after those. */
  readonly position: FitPosition;
  /** Whether a callback has ended the stage early. */
  readonly stopped: boolean;
  /** Spent in that stage. */
  readonly seconds: number;
  /** Of the network that is trained in that stage. */
  readonly training: TrainingState;
  /** Weights that earlier stages trained and that are not part of that network, by path. */
  readonly others: Readonly<Record<string, StateTensor>>;
  readonly callbacks: Readonly<Record<string, CallbackState>>;
}

const format = 'convbase-checkpoint';

/** What a Buffer can hold, and more than any checkpoint has. */
export const MAX_BYTES = 2 ** 32;

/** A run has ten. For each of them all tensors are looked through. */
const MAX_CALLBACKS = 100;

const stateSchema = z.object({
  base: z.string(),
  adapter: z.string(),
  done: z.array(stageRecordSchema),
  position: z.object({
    epoch: whole,
    batch: whole,
    totals: z
      .object({ samples: z.number(), sums: z.array(z.number()), chances: z.array(z.number()) })
      .nullable(),
  }),
  stopped: z.boolean(),
  seconds: z.number(),
  numbers: z.record(z.string(), z.number()),
  callbacks: z.record(z.string(), z.unknown()).refine((all) => Object.keys(all).length <= MAX_CALLBACKS),
});

/**
 * Writes a checkpoint as one safetensors file. Until it is whole and on the disk, the one that was there stays.
 *
 * Tensors are called `training/..`, `others/..` and `callbacks/<name>/..`; the rest is JSON in the metadata.
 */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { training, others, callbacks, ...facts } = checkpoint;
  const tensors: [string, StateTensor][] = [];
  const add = (prefix: string, group: Readonly<Record<string, StateTensor>> = {}): void => {
    for (const [name, tensor] of Object.entries(group)) tensors.push([`${prefix}/${name}`, tensor]);
  };
  add('training', training.tensors);
  add('others', others);
  const json: Record<string, unknown> = {};
  for (const [name, state] of Object.entries(callbacks)) {
    json[name] = state.json;
    add(`callbacks/${name}`, state.tensors);
  }
  const state = JSON.stringify({ ...facts, numbers: training.numbers, callbacks: json });
  await writeFileAtomic(path, writeSafetensors(tensors, { format, version: '1', state }));
}

/**
 * Reads a checkpoint; undefined where there is none.
 *
 * @throws ConvbaseError `checkpoint/damaged` for a file that convbase did not write; those of safetensors files
 */
export async function readCheckpoint(path: string): Promise<Checkpoint | undefined> {
  if (!(await exists(path))) return undefined;
  const { metadata, tensors } = readSafetensors(await readBounded(path, MAX_BYTES), path);
  const ours = metadata['format'] === format && metadata['version'] === '1';
  const state = ownJson(stateSchema, ours ? metadata['state'] : undefined, 'checkpoint/damaged', path);
  const group = (prefix: string): Record<string, StateTensor> => {
    const found: Record<string, StateTensor> = {};
    for (const [name, entry] of tensors) {
      // A copy that does not keep the whole file in memory.
      const tensor = (): StateTensor => ({ shape: entry.shape, data: entry.read().slice() });
      if (name.startsWith(`${prefix}/`)) found[name.slice(prefix.length + 1)] = tensor();
    }
    return found;
  };
  const { numbers, callbacks, ...facts } = state;
  return {
    ...facts,
    training: { tensors: group('training'), numbers },
    others: group('others'),
    callbacks: Object.fromEntries(
      Object.entries(callbacks).map(([name, json]) => [name, { json, tensors: group(`callbacks/${name}`) }]),
    ),
  };
}
