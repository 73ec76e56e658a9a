import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import { lockFolder, readCheckpoint, type Checkpoint } from '../checkpoint/index.ts';
import { historyFile } from '../logs/index.ts';
import type { Recipe } from '../recipe/index.ts';
import { recipeDifference } from './difference.ts';
import { CLASSIFIER, judged, judgeModel, reportRun, saveClassifier, type Judgement } from './finish.ts';
import { buildRunModel, renewHead } from './model.ts';
import type { RunObserver } from './observer.ts';
import { openRunPictures } from './pictures.ts';
import { RunFolder, type RunRecord } from './run-folder.ts';
import { runStage } from './run-stage.ts';
import type { OpenStage, RunContext } from './stage.ts';

export interface RunOptions {
  /** What to call the run: the recipe's name. */
  readonly name: string;
  /** The data folder. */
  readonly data: string;
  /** The folder for everything that comes out; need not exist. */
  readonly out: string;
  readonly gpu: Gpu;
  /** Goes on with the run in that folder, bit for bit as if it had not stopped; begins it where none is there. */
  readonly resume?: boolean;
  /** How long training may go on within an epoch without a checkpoint; 60 when left out. */
  readonly checkpointSeconds?: number;
  /** Where the outputs of frozen layers are kept; default `prefix/` in convbase's cache folder. */
  readonly cacheFolder?: string;
  readonly observer?: RunObserver;
  /** Stops the run with a checkpoint and a report; it is `run/aborted` then. */
  readonly signal?: AbortSignal;
}

/** What a run ends with; `run.json` holds the same. */
export interface RunResult extends RunRecord {
  readonly out: string;
}

/**
 * Runs a recipe (see `changeRecipe` for what is easily varied): trains stage after stage, judges the model by the test
 * pictures, and leaves in the folder the recipe as it was run, `run.json`, logs, checkpoints, the classifier, curves
 * and a report.
 *
 * @throws ConvbaseError `run/exists` for a folder with a run unless it is to be resumed; `run/changed` where recipe,
 * pictures or base are not those that it was begun with; `run/locked` while another process writes there;
 * `run/aborted`; `train/diverged`; those of pictures, base and files
 */
export async function runRecipe(recipe: Recipe, options: RunOptions): Promise<RunResult> {
  const folder = new RunFolder(options.out);
  const unlock = await lockFolder(options.out);
  try {
    const there = await folder.read();
    if (there === undefined) await folder.prepare();
    else checkResumable(there, recipe, options);
    await folder.clean();
    if (there?.record.status === 'finished') {
      options.observer?.say?.('the run is finished already');
      return { ...there.record, out: options.out };
    }
    return await runStages(recipe, options, folder, there?.record);
  } finally {
    await unlock();
  }
}

function checkResumable(
  there: { readonly record: RunRecord; readonly recipe: Recipe },
  recipe: Recipe,
  { out, resume }: RunOptions,
): void {
  if (resume !== true) {
    throw new ConvbaseError('run/exists', `a run of ${there.record.name} is there already`, {
      where: out,
      fix: 'Go on with it (--resume), or give another folder.',
    });
  }
  const difference = recipeDifference(there.recipe, recipe);
  if (difference !== undefined) throw changed(out, `the recipe is another: ${difference}`);
}

function changed(out: string, what: string): ConvbaseError {
  return new ConvbaseError('run/changed', `it cannot be resumed: ${what}`, {
    where: out,
    fix: 'Resume it with what it was begun with, or begin anew in another folder.',
  });
}

async function runStages(
  recipe: Recipe,
  options: RunOptions,
  folder: RunFolder,
  earlier: RunRecord | undefined,
): Promise<RunResult> {
  const { name, data, out, gpu, observer = {}, signal, cacheFolder } = options;
  const begun = performance.now() - 1000 * (earlier?.seconds ?? 0);
  const pictures = await openRunPictures(recipe.data, data, recipe.seed ?? 0);
  if (earlier !== undefined && pictures.checksum !== earlier.checksums.data) {
    throw changed(out, `the pictures in ${data} are not those it was begun with`);
  }
  const say = (line: string): void => observer.say?.(line);
  const built = await buildRunModel(recipe, pictures.classNames.length, {
    onStatus: say,
    ...(signal === undefined ? {} : { signal }),
  });
  const { base } = built;
  let record: RunRecord = {
    format: 'convbase-run',
    version: 1,
    name,
    status: 'running',
    data,
    checksums: { data: pictures.checksum, base: base.checksum },
    adapter: gpu.adapter.name,
    classNames: [...pictures.classNames],
    samples: {
      train: pictures.train.length,
      validation: pictures.validation?.length ?? 0,
      test: pictures.test?.length ?? 0,
    },
    stages: [],
    seconds: 0,
    result: null,
  };
  const update = async (change: Partial<RunRecord>): Promise<void> => {
    record = { ...record, seconds: (performance.now() - begun) / 1000, ...change };
    await folder.writeRecord(record);
  };
  const history = historyFile(folder.file('history.json'));
  const context: RunContext = { recipe, built, pictures, gpu, observer, signal, cacheFolder };
  try {
    if (earlier !== undefined && earlier.checksums.base !== base.checksum) {
      throw changed(out, `the weights of ${base.spec} are not those it was begun with`);
    }
    const checkpoint = earlier === undefined ? undefined : await readCheckpoint(folder.checkpoint);
    if (earlier === undefined) await folder.writeRecipe(recipe, name);
    if (checkpoint !== undefined) say(resumeLine(checkpoint, recipe, gpu));
    await update({ stages: [...(checkpoint?.done ?? [])] });
    const { test } = record.samples;
    say(
      `${record.samples.train} pictures to train, ${record.samples.validation} to validate, ${test} to test`,
    );

    let opened: OpenStage | undefined;
    let judgement: Judgement | undefined;
    try {
      for (const [index, stage] of recipe.stages.entries()) {
        if (index < record.stages.length) continue;
        await opened?.close();
        if (index > 0 && stage.head === 'fresh') renewHead(built, (recipe.seed ?? 0) + index);
        const run = {
          ...context,
          folder,
          history,
          checkpointSeconds: options.checkpointSeconds ?? 60,
          done: record.stages,
          resumeFrom: index === checkpoint?.done.length ? checkpoint : undefined,
        };
        const result = await runStage(run, stage);
        opened = result.opened;
        judgement = await judgeModel(context, opened);
        await update({ stages: [...record.stages, { ...result.record, test: judged(judgement) }] });
      }
      if (opened === undefined) throw new Error('no stage was left to run');
      await saveClassifier(context, folder, name, record.stages);
      const { seconds, stages } = record;
      await reportRun(context, folder, {
        name,
        stopped: false,
        history: history.data,
        stages,
        seconds,
        ...(judgement === undefined ? {} : { judgement }),
      });
      await update({
        status: 'finished',
        result: { test: judged(judgement), sweep: null, classifier: CLASSIFIER },
      });
      return { ...record, out };
    } finally {
      await opened?.close();
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error;
    await update({ status: 'stopped' });
    const { seconds, stages } = record;
    await reportRun(context, folder, { name, stopped: true, history: history.data, stages, seconds });
    throw error;
  } finally {
    built.model.dispose();
  }
}

function resumeLine({ position, adapter, done }: Checkpoint, { stages }: Recipe, gpu: Gpu): string {
  const stage = stages[done.length]?.name ?? '';
  const batch = position.batch > 0 ? `, batch ${position.batch}` : '';
  const line = `going on in stage ${stage} after ${position.epoch} epochs${batch}`;
  return adapter === gpu.adapter.name
    ? line
    : `${line}; another adapter (${adapter}) began it, so results will differ in their last digits`;
}
