import { afterFailure } from '@convbase/base/node';
import {
  epochStart,
  exportCallbackStates,
  exportTrainingState,
  importCallbackStates,
  importTrainingState,
  type Callback,
  type FitPosition,
  type Model,
  type StateTensor,
} from '@convbase/layers';
import {
  BestWeights,
  checkpointing,
  writeCheckpoint,
  type Checkpoint,
  type StageRecord,
} from '../checkpoint/index.ts';
import { csvLogger, jsonLines } from '../logs/index.ts';
import type { RecipeStage } from '../recipe/index.ts';
import { tensorBoard } from '../tensorboard/index.ts';
import { given } from './given.ts';
import { refuseNaNInStage } from './refuse-nan.ts';
import type { RunFolder } from './run-folder.ts';
import type { OpenRun } from './open-run.ts';
import { keptCallbacks, logsOfEpoch, stopAtOnce } from './stage-callbacks.ts';
import { openStage, type OpenStage } from './stage.ts';
import { describeStage } from './words.ts';

/** A stage's place in its run. */
export interface StageRun extends OpenRun {
  /** Stages that are done. */
  readonly done: readonly StageRecord[];
  /** Where an earlier process stopped in this stage. */
  readonly resumeFrom: Checkpoint | undefined;
}

/**
 * Trains one stage, with checkpoints, and hands it on open: what its frozen part made of the pictures serves to judge
 * the model at the end.
 */
export async function runStage(
  run: StageRun,
  stage: RecipeStage,
): Promise<{ record: Omit<StageRecord, 'test'>; opened: OpenStage }> {
  const { recipe, built, pictures, observer, folder, done, resumeFrom, signal } = run;
  const firstEpoch = done.reduce((sum, { epochs }) => sum + epochs, 0);
  const endEpoch = firstEpoch + stage.epochs;
  const index = done.length;
  const count = recipe.stages.length;
  observer.say?.(`stage ${index + 1} of ${count}: ${stage.name}`);
  const opened = await openStage(run, stage);
  try {
    const { network } = opened;
    const steps = stage.stepsPerEpoch ?? opened.training.batchCount;
    const place = { name: stage.name, index, count, firstEpoch, endEpoch, steps };
    for (const line of describeStage(stage, opened, pictures.train.length)) observer.say?.(`  ${line}`);
    const kept = [...keptCallbacks(stage, firstEpoch), ...logs(folder, index), run.history];
    const monitor = stage.restoreBest;
    const best =
      monitor === undefined ? undefined : new BestWeights(folder.best, network, stage.name, monitor);
    const begun = performance.now() - 1000 * (resumeFrom?.seconds ?? 0);
    const seconds = (): number => (performance.now() - begun) / 1000;
    const save = async (position: FitPosition): Promise<void> =>
      writeCheckpoint(folder.checkpoint, {
        base: built.base.checksum,
        adapter: run.gpu.adapter.name,
        done,
        position,
        stopped: network.stopTraining,
        seconds: seconds(),
        training: await exportTrainingState(network),
        others: await readOthers(built.model, network),
        callbacks: await exportCallbackStates(kept),
      });
    if (resumeFrom !== undefined) {
      writeOthers(built.model, resumeFrom.others);
      importTrainingState(network, resumeFrom.training);
      await importCallbackStates(kept, resumeFrom.callbacks);
    }
    const start = resumeFrom?.position ?? epochStart(firstEpoch);
    await network.fit(opened.training, {
      epochs: endEpoch,
      start,
      ...given({
        stepsPerEpoch: stage.stepsPerEpoch,
        validationData: opened.validation?.data,
        validationModel: opened.validation?.model,
        validationSteps: opened.validation && stage.validationSteps,
        classWeight: opened.classWeight,
        signal,
        meter: run.meter,
      }),
      callbacks: [
        ...(resumeFrom?.stopped === true ? [stopAtOnce()] : []),
        refuseNaNInStage(stage.name, network.precision),
        ...kept,
        ...(observer.callbacks?.(place) ?? []),
        ...(best === undefined ? [] : [best]),
        checkpointing(save, start, run.checkpointSeconds),
      ],
    });
    const restored = await best?.restore();
    if (restored !== undefined) {
      const { epoch, value } = restored;
      observer.say?.(
        `  weights of epoch ${epoch + 1} restored: ${restored.monitor} ${value.toFixed(4)} is the best`,
      );
    }
    const { data } = run.history;
    const epochs = data.epoch.length - firstEpoch;
    const { trainableWeights } = built.model;
    const record = {
      name: stage.name,
      firstEpoch,
      epochs,
      seconds: seconds(),
      best: restored ?? null,
      logs: logsOfEpoch(data, restored?.epoch ?? firstEpoch + epochs - 1),
      trainable: {
        variables: trainableWeights.length,
        parameters: trainableWeights.reduce((sum, { size }) => sum + size, 0),
        of: built.model.countParams(),
      },
      frozen: { layers: opened.frozen?.layers ?? 0, cached: opened.cached !== undefined },
    };
    return { record, opened };
  } catch (error) {
    await afterFailure(() => opened.close());
    throw error;
  }
}

/** All stages write into the same files, one behind the other. */
function logs(folder: RunFolder, stage: number): Callback[] {
  const append = stage > 0;
  return [
    csvLogger(folder.file('history.csv'), { append }),
    jsonLines(folder.file('log.jsonl'), { append }),
    // What does not learn need not be looked at in every epoch.
    tensorBoard(folder.file('tensorboard'), { histogramFrequency: 1, histogramsOf: 'trainableWeights' }),
  ];
}

/** Weights that were trained by earlier stages and are not part of the network that is trained now. */
async function readOthers(model: Model, network: Model): Promise<Record<string, StateTensor>> {
  const inside = new Set(network.weights);
  const tensors: Record<string, StateTensor> = {};
  for (const [index, weight] of model.weights.entries()) {
    if (inside.has(weight) || !weight.trained) continue;
    // Layers of a base and of a head may have the same name.
    tensors[`${index}/${weight.path}`] = { shape: weight.shape, data: await weight.read() };
  }
  return tensors;
}

function writeOthers(model: Model, tensors: Readonly<Record<string, StateTensor>>): void {
  for (const [index, weight] of model.weights.entries()) {
    const tensor = tensors[`${index}/${weight.path}`];
    if (tensor === undefined) continue;
    weight.assign(tensor.data);
    weight.changed();
  }
}
