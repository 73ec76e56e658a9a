import type { PictureSet } from '@convbase/data';
import { saveClassifierFile } from '@convbase/models';
import type { StageRecord } from '../checkpoint/index.ts';
import type { HistoryFile } from '../logs/index.ts';
import { writeLearningCurves } from '../plots/index.ts';
import { evaluationOf, writeReport, type Evaluation } from '../report/index.ts';
import { pictureSize } from './pictures.ts';
import type { RunFolder } from './run-folder.ts';
import type { OpenStage, RunContext } from './stage.ts';
import { describeOptimizer, describeUnfreeze } from './words.ts';

export const CLASSIFIER = 'classifier.keras';

/** What the trained model made of pictures it has not learned from. */
export interface Judgement {
  /** `test` or `validation` */
  readonly on: string;
  readonly loss: number;
  readonly result: Evaluation;
  readonly set: PictureSet;
}

/** Judges the model by the test pictures, or where there are none by those to validate with. */
export async function judgeModel(context: RunContext, opened: OpenStage): Promise<Judgement | undefined> {
  const { pictures, signal } = context;
  const on = pictures.test === undefined ? 'validation' : 'test';
  const set = pictures[on];
  if (set === undefined) return undefined;
  const { model, data } = await opened.judge(set, on);
  const options = signal === undefined ? {} : { signal };
  const { loss = Number.NaN } = await model.evaluate(data, options);
  const { data: probabilities } = await model.predict(data, options);
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
  { built, pictures, recipe, gpu }: RunContext,
  folder: RunFolder,
  name: string,
  stages: readonly StageRecord[],
): Promise<void> {
  const { preprocess, resize } = recipe.data;
  await saveClassifierFile(folder.file(CLASSIFIER), built.model, {
    classNames: [...pictures.classNames],
    input: { size: pictureSize(recipe.data), preprocess, resize },
    training: {
      recipe: name,
      base: built.base.spec,
      baseChecksum: built.base.checksum,
      adapter: gpu.adapter.name,
      stages: stages.map(({ name: stage, epochs, logs }) => ({ stage, epochs, logs })),
    },
  });
}

/** Draws the curves and writes the report of a run that is finished or was stopped. */
export async function reportRun(
  { built, recipe, gpu }: RunContext,
  folder: RunFolder,
  facts: {
    readonly name: string;
    readonly stopped: boolean;
    readonly history: HistoryFile;
    readonly stages: readonly StageRecord[];
    readonly seconds: number;
    readonly judgement?: Judgement;
  },
): Promise<void> {
  const { name, stopped, history, stages, seconds, judgement } = facts;
  const marks = stages.slice(1).map(({ firstEpoch, name: text }) => ({ epoch: firstEpoch, text }));
  if (history.epoch.length > 0) await writeLearningCurves(folder.file('curves'), history, { marks });
  await writeReport(folder.path, {
    title: name,
    status: stopped ? 'stopped' : 'finished',
    configuration: { ...recipe },
    adapter: gpu.adapter,
    summary: built.model.summary({ showTrainable: true, columns: 100 }),
    history,
    stages: stages.map((record, index) => ({
      name: record.name,
      firstEpoch: record.firstEpoch,
      epochs: record.epochs,
      seconds: record.seconds,
      details: stageDetails(record, recipe.stages[index], recipe.model.base),
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
