import type { PictureSet } from '@convbase/data';
import type { Model } from '@convbase/layers';
import { CLASSIFIER_FILE as CLASSIFIER, saveClassifierFile } from '@convbase/models';
import type { StageRecord } from '../checkpoint/index.ts';
import { writeLearningCurves } from '../plots/index.ts';
import { evaluationOf, writeReport, type Evaluation } from '../report/index.ts';
import type { RunContext } from './context.ts';
import { pictureSize } from './pictures.ts';
import { given } from './given.ts';
import type { OpenRun } from './open-run.ts';
import type { OpenStage } from './stage.ts';
import { describeOptimizer, describeUnfreeze } from './words.ts';

export { CLASSIFIER };

/** What the trained model made of pictures it has not learned from. */
export interface Judgement {
  /** `test` or `validation` */
  readonly on: string;
  readonly loss: number;
  readonly result: Evaluation;
  readonly set: PictureSet;
}

/** Judges the model by the test pictures, or where there are none by those to validate with. */
export async function judgeModel(
  { pictures, signal, meter }: RunContext,
  opened: Pick<OpenStage, 'judge'>,
): Promise<Judgement | undefined> {
  const on = pictures.test === undefined ? 'validation' : 'test';
  const set = pictures[on];
  if (set === undefined) return undefined;
  const { model, data } = await opened.judge(set, on);
  const probabilities: number[] = [];
  const { loss = Number.NaN } = await model.evaluate(data, {
    ...given({ signal }),
    meter,
    onPredictions: (batch) => {
      for (const probability of batch.data) probabilities.push(probability);
    },
  });
  const labels = Array.from({ length: set.length }, (_, index) => set.label(index));
  return { on, loss, set, result: evaluationOf(labels, probabilities, pictures.classNames) };
}

/** A judgement in short, as it is written down. */
export function judged(judgement: Judgement | undefined): StageRecord['test'] {
  if (judgement === undefined) return null;
  const { on, loss, result, set } = judgement;
  return { on, samples: set.length, loss: Number.isFinite(loss) ? loss : null, accuracy: result.accuracy };
}

/** Saves the whole model with all that must be known to use it. */
export async function saveClassifier(
  { built, pictures, recipe, gpu, folder, record }: OpenRun,
  model: Model,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { preprocess, resize } = recipe.data;
  await saveClassifierFile(folder.file(CLASSIFIER), model, {
    classNames: [...pictures.classNames],
    input: { size: pictureSize(recipe.data), preprocess, resize },
    training: {
      recipe: record.name,
      base: built.base.spec,
      baseChecksum: built.base.checksum,
      adapter: gpu.adapter.name,
      stages: record.stages.map(({ name: stage, epochs, logs }) => ({ stage, epochs, logs })),
      ...more,
    },
  });
}

/** Draws the curves and writes the report of a run that is finished or was stopped. */
export async function reportRun(
  { recipe, gpu, folder, history: { data: history }, record }: OpenRun,
  model: Model,
  judgement?: Judgement,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { name, status, stages, seconds } = record;
  const marks = stages.slice(1).map(({ firstEpoch, name: text }) => ({ epoch: firstEpoch, text }));
  if (history.epoch.length > 0) await writeLearningCurves(folder.file('curves'), history, { marks });
  await writeReport(folder.path, {
    title: name,
    status: status === 'stopped' ? 'stopped' : 'finished',
    configuration: { ...more, ...recipe },
    adapter: gpu.adapter,
    summary: model.summary({ showTrainable: true, columns: 100 }),
    history,
    stages: stages.map((one, index) => ({
      name: one.name,
      firstEpoch: one.firstEpoch,
      epochs: one.epochs,
      seconds: one.seconds,
      details: stageDetails(one, recipe.stages[index], recipe.model.base),
    })),
    seconds,
    ...(judgement === undefined
      ? {}
      : {
          evaluation: { on: judgement.on, result: judgement.result },
          pictureOf: (index: number) => judgement.set.file?.(index),
        }),
  });
}

function stageDetails(
  { trainable, frozen, best }: StageRecord,
  stage: RunContext['recipe']['stages'][number] | undefined,
  base: string,
): Record<string, string | number | boolean> {
  return {
    ...(stage === undefined
      ? {}
      : {
          trained: describeUnfreeze(stage.unfreeze, base),
          optimizer: describeOptimizer(stage.optimizer),
          augmentation: stage.augmentation !== undefined,
        }),
    'trainable parameters': `${trainable.parameters.toLocaleString('en')} of ${trainable.of.toLocaleString('en')}`,
    'frozen layers in front': `${frozen.layers}${frozen.cached ? ', computed once' : ''}`,
    ...(best === null
      ? {}
      : { 'best epoch': `${best.epoch + 1} (${best.monitor} ${best.value.toFixed(4)})` }),
  };
}
