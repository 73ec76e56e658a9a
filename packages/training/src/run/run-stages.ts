import { withTidying } from '@convbase/base/node';
import type { Gpu } from '@convbase/core-gpu';
import { readCheckpoint, stageRecordSchema, type Checkpoint } from '../checkpoint/index.ts';
import type { Recipe } from '../recipe/index.ts';
import { CLASSIFIER, judged, judgeModel, reportRun, saveClassifier, type Judgement } from './finish.ts';
import { renewHead } from './model.ts';
import { runStage } from './run-stage.ts';
import type { OpenRun } from './open-run.ts';
import type { OpenStage } from './stage.ts';

/** Trains stage after stage from where an earlier process stopped, judges after each, and saves what came out. */
export async function runStages(openRun: OpenRun): Promise<void> {
  const { recipe, built, folder, gpu, observer, resumed } = openRun;
  const checkpoint = resumed ? await readCheckpoint(folder.checkpoint) : undefined;
  if (checkpoint !== undefined) observer.say?.(resumeLine(checkpoint, recipe, gpu));
  await openRun.update({ stages: [...(checkpoint?.done ?? [])] });
  let opened: OpenStage | undefined;
  let judgement: Judgement | undefined;
  const run = async (): Promise<void> => {
    for (const [index, stage] of recipe.stages.entries()) {
      const done = openRun.record.stages;
      if (index < done.length) continue;
      await opened?.close();
      if (index > 0 && stage.head === 'fresh') renewHead(built, (recipe.seed ?? 0) + index);
      const resumeFrom = index === checkpoint?.done.length ? checkpoint : undefined;
      const result = await runStage({ ...openRun, done, resumeFrom }, stage);
      opened = result.opened;
      judgement = await judgeModel(openRun, opened);
      // As a checkpoint keeps it, so that a run that was resumed leaves the same record.
      const record = stageRecordSchema.parse({ ...result.record, test: judged(judgement) });
      await openRun.update({ stages: [...done, record] });
    }
    await saveClassifier(openRun, built.model);
    const { seconds } = await openRun.update({});
    await reportRun(openRun, built.model, judgement);
    await openRun.update({
      status: 'finished',
      // As the report says it, which was written before.
      seconds,
      result: { test: judged(judgement), sweep: null, classifier: CLASSIFIER },
    });
  };
  await withTidying(run, async () => opened?.close());
}

function resumeLine({ position, adapter, done }: Checkpoint, { stages }: Recipe, gpu: Gpu): string {
  const stage = stages[done.length]?.name ?? '';
  const batch = position.batch > 0 ? `, batch ${position.batch}` : '';
  const line = `going on in stage ${stage} after ${position.epoch} epochs${batch}`;
  return adapter === gpu.adapter.name
    ? line
    : `${line}; another adapter (${adapter}) began it, so results will differ in their last digits`;
}
