import { removeFile, withTidying } from '@convbase/base/node';
import { pictureBatches, type PictureSet } from '@convbase/data';
import {
  BatchNormalization,
  GlobalAveragePooling2D,
  input,
  inputsOf,
  Model,
  NameScope,
  type Dataset,
  type Layer,
  type SymbolicTensor,
} from '@convbase/layers';
import { BestWeights } from '../checkpoint/index.ts';
import { historyFile } from '../logs/index.ts';
import type { CachedPrefix } from '../prefix/index.ts';
import type { RecipeStage } from '../recipe/index.ts';
import { sweepLayers } from './blocks.ts';
import { checkPictures } from './check-pictures.ts';
import { CLASSIFIER, judged, judgeModel, reportRun, saveClassifier, type Judgement } from './finish.ts';
import { given } from './given.ts';
import { headLayers, precisionOf } from './model.ts';
import { batchOptions } from './pictures.ts';
import { PrefixOutputs } from './prefix-outputs.ts';
import { refuseNaNInStage } from './refuse-nan.ts';
import type { SweepRow } from './run-folder.ts';
import type { OpenRun } from './open-run.ts';
import { keptCallbacks, logsOfEpoch } from './stage-callbacks.ts';
import { classWeightsOf, compile } from './stage.ts';

/**
 * Trains one head on each of several layers of the base, whose outputs are averaged over the picture and normalised,
 * and saves the classifier with the best of them by what it makes of the pictures to validate with.
 *
 * Pictures go through the base once for all layers. The heads are small, so that a sweep that was stopped trains them
 * anew, to the same result.
 */
export async function runSweep(openRun: OpenRun, sweep: 'blocks' | readonly string[]): Promise<void> {
  const { recipe, built, gpu, signal, pictures, observer, memory } = openRun;
  // From here on there is a run to go on with.
  await openRun.update({});
  const base = built.base.model;
  base.trainable = false;
  const layers = sweepLayers(base, sweep);
  const means = layers.map((layer) => mean(layer));
  const prefix = new Model({ inputs: base.inputs, outputs: means, name: 'means' }).to(gpu);
  prefix.precision = precisionOf(recipe);
  const outputs = new PrefixOutputs(prefix, openRun);
  const made = (set: PictureSet, what: string): Promise<CachedPrefix> =>
    outputs.of(
      pictureBatches(set, {
        ...batchOptions(recipe.data, signal),
        memory,
        ...shuffling(set === pictures.train),
      }),
      what,
    );
  const shuffling = (shuffle: boolean): object => (shuffle ? { shuffle, seed: recipe.seed ?? 0 } : {});
  const heads: Head[] = [];
  const run = async (): Promise<void> => {
    await checkPictures(openRun, (set) =>
      outputs.known(pictureBatches(set, batchOptions(recipe.data, signal))),
    );
    const training = await made(pictures.train, 'training');
    const validation = pictures.validation && (await made(pictures.validation, 'validation'));
    const rows: SweepRow[] = [];
    for (const [index, layer] of layers.entries()) {
      const head = await trainHead(openRun, layer, means[index]?.shape.at(-1) ?? 0, {
        training: column(training, index),
        validation: validation && column(validation, index),
        judged: async (set, what) => column(await made(set, what), index),
      });
      heads.push(head);
      rows.push(head.row);
      observer.say?.(`  ${inWords(head.row)}`);
      await openRun.update({ result: { test: null, sweep: rows, classifier: CLASSIFIER } });
    }
    const best = heads.reduce((a, b) => (score(b.row) > score(a.row) ? b : a));
    observer.say?.(`the head on ${best.row.layer} does best on the pictures to validate with`);
    await openRun.history.setState?.({ json: best.history });
    await openRun.history.onTrainBegin?.();
    const output = means[heads.indexOf(best)];
    if (output === undefined) throw new Error('a head without features');
    const model = new Model({ inputs: base.inputs, outputs: best.model.apply(output), name: 'classifier' });
    model.precision = precisionOf(recipe);
    await saveClassifier(openRun, model.to(gpu), { layer: best.row.layer });
    const table = Object.fromEntries(rows.map((row) => [row.layer, row.test?.accuracy ?? null]));
    const { seconds } = await openRun.update({});
    await reportRun(openRun, model, best.judgement, { 'accuracy by layer': table });
    await openRun.update({
      status: 'finished',
      // As the report says it, which was written before.
      seconds,
      result: { test: best.row.test, sweep: rows, classifier: CLASSIFIER },
    });
  };
  try {
    await withTidying(run, () => outputs.close());
  } finally {
    for (const { model } of heads) model.dispose();
    prefix.releaseCaches();
  }
}

/** A trained head, and how good it is. */
interface Head {
  readonly model: Model;
  readonly row: SweepRow;
  readonly history: unknown;
  readonly judgement: Judgement | undefined;
}

interface HeadData {
  readonly training: Dataset;
  readonly validation: Dataset | undefined;
  readonly judged: (set: PictureSet, what: string) => Promise<Dataset>;
}

async function trainHead(openRun: OpenRun, layer: Layer, features: number, data: HeadData): Promise<Head> {
  const { recipe, pictures, folder, gpu, observer, signal } = openRun;
  const [stage] = recipe.stages as [RecipeStage];
  observer.say?.(`a head on ${layer.name}`);
  const model = buildHead(openRun, features).to(gpu);
  compile(model, openRun, stage);
  const history = historyFile(folder.file('heads', layer.name, 'history.json'));
  const monitor = stage.restoreBest;
  const bestFile = folder.file('heads', layer.name, 'best.safetensors');
  await removeFile(bestFile);
  const best = monitor === undefined ? undefined : new BestWeights(bestFile, model, layer.name, monitor);
  const place = {
    name: layer.name,
    index: 0,
    count: 1,
    firstEpoch: 0,
    endEpoch: stage.epochs,
    steps: stage.stepsPerEpoch ?? data.training.batchCount,
  };
  await model.fit(data.training, {
    epochs: stage.epochs,
    ...given({
      stepsPerEpoch: stage.stepsPerEpoch,
      validationData: data.validation,
      validationSteps: data.validation && stage.validationSteps,
      classWeight: classWeightsOf(stage, pictures),
      signal,
      meter: openRun.meter,
    }),
    callbacks: [
      refuseNaNInStage(stage.name, model.precision),
      ...keptCallbacks(stage, 0),
      history,
      ...(observer.callbacks?.(place) ?? []),
      ...(best === undefined ? [] : [best]),
    ],
  });
  const restored = await best?.restore();
  const judgement = await judgeModel(openRun, {
    judge: async (set, what) => ({ model, data: await data.judged(set, what) }),
  });
  const epochs = history.data.epoch.length;
  const logs = logsOfEpoch(history.data, restored?.epoch ?? epochs - 1);
  const row = { layer: layer.name, features, epochs, logs, test: judged(judgement) };
  return { model, row, history: history.data, judgement };
}

function buildHead({ recipe, pictures }: OpenRun, features: number): Model {
  const names = new NameScope();
  const start = input({ shape: [features], names });
  // The blocks' outputs are of very different sizes; brought to one scale, heads on all of them learn equally fast.
  const scale = new BatchNormalization({ center: false, scale: false, momentum: 0.9, names });
  let x: SymbolicTensor = scale.apply(start);
  for (const layer of headLayers(recipe.model.head, pictures.classNames.length, names)) x = layer.apply(x);
  const model = new Model({ inputs: start, outputs: x, name: 'head' });
  model.seed(recipe.seed ?? 0);
  model.precision = precisionOf(recipe);
  return model;
}

function mean(layer: Layer): SymbolicTensor {
  return new GlobalAveragePooling2D({ name: `${layer.name}_mean` }).apply(layer.output);
}

/** One of several outputs of the base as the only input of a head. */
function column(cached: CachedPrefix, index: number): Dataset {
  return {
    batchCount: cached.batchCount,
    sampleCount: cached.sampleCount,
    async *batches(epoch, first) {
      for await (const { x, ...batch } of cached.batches(epoch, first)) {
        const chosen = inputsOf({ x })[index];
        if (chosen === undefined) throw new Error(`the base has no output ${index}`);
        yield { ...batch, x: chosen };
      }
    },
  };
}

/** How good a head is, by what is not for testing. */
function score({ logs }: SweepRow): number {
  const { accuracy = null, val_accuracy: validated = null } = logs;
  return validated ?? accuracy ?? 0;
}

function inWords({ layer, features, logs, test }: SweepRow): string {
  const parts = [`${layer}: ${features} features`];
  const { val_accuracy: validated = null } = logs;
  if (validated !== null) parts.push(`validation accuracy ${validated.toFixed(4)}`);
  if (test !== null) parts.push(`${test.on} accuracy ${test.accuracy.toFixed(4)}`);
  return parts.join(', ');
}
