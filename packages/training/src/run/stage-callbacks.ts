import { ConvbaseError } from '@convbase/base';
import {
  EarlyStopping,
  ReduceLROnPlateau,
  type Callback,
  type Network,
  type Precision,
} from '@convbase/layers';
import type { HistoryFile } from '../logs/index.ts';
import type { RecipeStage } from '../recipe/index.ts';
import { given } from './given.ts';

/** Callbacks that a stage asks for and whose state goes into checkpoints. */
export function keptCallbacks(stage: RecipeStage, firstEpoch: number): Callback[] {
  const { earlyStopping, reduceLROnPlateau } = stage;
  const callbacks: Callback[] = [];
  if (earlyStopping !== undefined) {
    const startFromEpoch = firstEpoch + (earlyStopping.startFromEpoch ?? 0);
    callbacks.push(new EarlyStopping({ ...given(earlyStopping), startFromEpoch }));
  }
  if (reduceLROnPlateau !== undefined) callbacks.push(new ReduceLROnPlateau(given(reduceLROnPlateau)));
  return callbacks;
}

/** A stage that had ended early when it was stopped does not go on. */
export function stopAtOnce(): Callback {
  let network: Network | undefined;
  return {
    setModel: (model) => (network = model),
    onTrainBegin() {
      if (network !== undefined) network.stopTraining = true;
    },
  };
}

/** Ends a run whose loss is no number any more, before that reaches a checkpoint. */
export function refuseNaN(stage: string, precision: Precision): Callback {
  const or = precision === 'mixed' ? ', or train in float32: float16 ends at 65,504' : '';
  return {
    onEpochEnd(epoch, logs) {
      if (Object.values(logs).every(Number.isFinite)) return;
      throw new ConvbaseError('train/diverged', `the loss grew out of all bounds in epoch ${epoch + 1}`, {
        where: `stage ${stage}`,
        fix: `Give its optimizer a smaller learningRate${or}.`,
      });
    },
  };
}

/** An epoch's values in a history. */
export function logsOfEpoch({ epoch, history }: HistoryFile, wanted: number): Record<string, number | null> {
  const at = epoch.indexOf(wanted);
  return Object.fromEntries(Object.entries(history).map(([key, values]) => [key, values[at] ?? null]));
}
