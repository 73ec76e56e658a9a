import { EarlyStopping, ReduceLROnPlateau, type Callback, type Network } from '@convbase/layers';
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

/** An epoch's values in a history. */
export function logsOfEpoch({ epoch, history }: HistoryFile, wanted: number): Record<string, number | null> {
  const at = epoch.indexOf(wanted);
  return Object.fromEntries(Object.entries(history).map(([key, values]) => [key, values[at] ?? null]));
}
