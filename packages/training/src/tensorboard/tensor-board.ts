import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import type { Callback, Logs, Network } from '@convbase/layers';
import { z } from 'zod';
import { EventFiles } from './event-files.ts';
import { summaryEvent, type Summary } from './event.ts';
import { WeightHistograms } from './weight-histograms.ts';

export interface TensorBoardOptions {
  /** Histograms every so many epochs; 0, when left out, none. */
  readonly histogramFrequency?: number;
  /** Of which weights: Keras' callback and this one, when nothing is said, take all. */
  readonly histogramsOf?: 'weights' | 'trainableWeights';
}

const sizes = z.record(z.string(), z.number().int().nonnegative());
const stateSchema = z.object({ train: sizes, validation: sizes });

/**
 * Event files for TensorBoard, in the layout and under the tags of Keras' callback: `<folder>/train` and
 * `<folder>/validation` with `epoch_loss`, `epoch_accuracy` .., `epoch_learning_rate`, `evaluation_loss_vs_iterations`
 * and, if wanted, `<layer>/kernel/histogram`. Steps are epochs, counted from 0. Each process adds files of its own; after a
 * resume what came later than the checkpoint is taken out of the earlier ones.
 *
 * Errors are those of `fileError`.
 */
export function tensorBoard(
  folder: string,
  { histogramFrequency = 0, histogramsOf = 'weights' }: TensorBoardOptions = {},
): Callback {
  const train = new EventFiles(join(folder, 'train'));
  const validation = new EventFiles(join(folder, 'validation'));
  const histograms = new WeightHistograms();
  let model: Network | undefined;
  return {
    name: 'tensorBoard',
    setModel(network) {
      model = network;
    },
    async getState() {
      return { json: { train: await train.sizes(), validation: await validation.sizes() } };
    },
    async setState({ json }) {
      const state = stateSchema.safeParse(json);
      if (!state.success) {
        throw new ConvbaseError('state/mismatch', 'the checkpoint knows nothing of event files', {
          where: folder,
        });
      }
      await train.restore(state.data.train);
      await validation.restore(state.data.validation);
    },
    async onEpochEnd(epoch, logs) {
      const optimizer = model?.compiled.optimizer;
      const trained = logsOf(logs, false);
      if (optimizer !== undefined) trained['learning_rate'] = optimizer.learningRate;
      const validated = logsOf(logs, true);
      if (optimizer !== undefined) {
        const scalars = scalarsOf(validated, (name) => `evaluation_${name}_vs_iterations`);
        await write(validation, optimizer.iterations, scalars);
      }
      await write(train, epoch, scalarsOf(trained, epochTag));
      await write(validation, epoch, scalarsOf(validated, epochTag));
      if (model !== undefined && histogramFrequency > 0 && epoch % histogramFrequency === 0) {
        await write(train, epoch, await histograms.of(model[histogramsOf]));
      }
    },
  };
}

/** The logs of training, or those of validation without their `val_`. */
function logsOf(logs: Logs, ofValidation: boolean): Record<string, number> {
  return Object.fromEntries(
    Object.entries(logs)
      .filter(([key]) => key.startsWith('val_') === ofValidation)
      .map(([key, value]) => [ofValidation ? key.slice(4) : key, value]),
  );
}

function epochTag(name: string): string {
  return `epoch_${name}`;
}

function scalarsOf(logs: Logs, tagOf: (name: string) => string): Summary[] {
  return Object.entries(logs).map(([name, value]) => ({
    tag: tagOf(name),
    plugin: 'scalars',
    values: Float32Array.of(value),
    shape: [],
  }));
}

async function write(files: EventFiles, step: number, summaries: readonly Summary[]): Promise<void> {
  if (summaries.length === 0) return;
  const seconds = Date.now() / 1000;
  await files.add(summaries.map((summary) => summaryEvent(seconds, step, summary)));
}
