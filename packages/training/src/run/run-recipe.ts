import { ConvbaseError } from '@convbase/base';
import { lockFolder, withTidying } from '@convbase/base/node';
import type { Gpu } from '@convbase/core-gpu';
import { PictureMemory } from '@convbase/data';
import { InputMeter } from '@convbase/layers';
import { inputReport } from '../input/index.ts';
import { historyFile } from '../logs/index.ts';
import type { Recipe } from '../recipe/index.ts';
import { recipeDifference } from './difference.ts';
import { reportRun } from './finish.ts';
import { buildRunModel } from './model.ts';
import type { RunObserver } from './observer.ts';
import { openRunPictures } from './pictures.ts';
import { RunFolder, type RunRecord } from './run-folder.ts';
import { runStages } from './run-stages.ts';
import { runSweep } from './run-sweep.ts';
import type { OpenRun } from './open-run.ts';

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
 * pictures or base are not those that it was begun with; `file/locked` while another process writes there;
 * `run/aborted`; `train/diverged`; `training/overflow` in mixed precision; those of pictures, base and files
 */
export async function runRecipe(recipe: Recipe, options: RunOptions): Promise<RunResult> {
  const folder = new RunFolder(options.out);
  const run = async (): Promise<RunResult> => {
    const there = await folder.read();
    if (there !== undefined) checkResumable(there, recipe, options);
    else {
      if (options.resume) options.observer?.say?.(`there is no run in ${options.out} yet: a new one begins`);
      await folder.prepare();
    }
    await folder.clean();
    if (there?.record.status === 'finished') {
      options.observer?.say?.('the run is finished already');
      return { ...there.record, out: options.out };
    }
    return { ...(await runSession(recipe, options, folder, there?.record)), out: options.out };
  };
  return withTidying(run, await lockFolder(options.out));
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

async function runSession(
  recipe: Recipe,
  options: RunOptions,
  folder: RunFolder,
  earlier: RunRecord | undefined,
): Promise<RunRecord> {
  const { name, data, out, gpu, observer = {}, signal, cacheFolder, checkpointSeconds = 60 } = options;
  const begun = performance.now() - 1000 * (earlier?.seconds ?? 0);
  const watch = { say: (line: string) => observer.say?.(line), ...(signal === undefined ? {} : { signal }) };
  const pictures = await openRunPictures(recipe.data, data, recipe.seed ?? 0, watch);
  if (earlier !== undefined && pictures.checksum !== earlier.checksums.data) {
    throw changed(out, `the pictures in ${data} are not those it was begun with`);
  }
  const built = await buildRunModel(recipe, pictures.classNames.length, { ...watch, onStatus: watch.say });
  const { base, model } = built;
  const samples = {
    train: pictures.train.length,
    validation: pictures.validation?.length ?? 0,
    test: pictures.test?.length ?? 0,
  };
  const meter = new InputMeter();
  const memory = new PictureMemory();
  const openRun: OpenRun = {
    ...{
      recipe,
      built,
      pictures,
      gpu,
      observer,
      signal,
      cacheFolder,
      folder,
      checkpointSeconds,
      meter,
      memory,
    },
    history: historyFile(folder.file('history.json')),
    resumed: earlier !== undefined,
    record: {
      format: 'convbase-run',
      version: 1,
      name,
      status: 'running',
      data,
      checksums: { data: pictures.checksum, base: base.checksum },
      adapter: gpu.adapter.name,
      classNames: [...pictures.classNames],
      samples,
      stages: [],
      seconds: 0,
      result: null,
    },
    async update(change) {
      const seconds = (performance.now() - begun) / 1000;
      openRun.record = { ...openRun.record, seconds, input: inputReport(meter, earlier?.input), ...change };
      await folder.writeRecord(openRun.record);
      return openRun.record;
    },
  };
  try {
    if (earlier !== undefined && earlier.checksums.base !== base.checksum) {
      throw changed(out, `the weights of ${base.spec} are not those it was begun with`);
    }
    if (earlier === undefined) await folder.writeRecipe(recipe, name);
    const { train, validation, test } = samples;
    observer.say?.(`${train} pictures to train, ${validation} to validate, ${test} to test`);
    await (recipe.sweep === undefined ? runStages(openRun) : runSweep(openRun, recipe.sweep));
  } catch (error) {
    if (signal?.aborted !== true) throw error;
    await openRun.update({ status: 'stopped' });
    await reportRun(openRun, model);
    throw error;
  } finally {
    model.dispose();
  }
  return openRun.record;
}
