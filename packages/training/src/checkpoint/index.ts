export { BestWeights, type BestRecord } from './best-weights.ts';
export {
  readCheckpoint,
  judgedSchema,
  stageRecordSchema,
  writeCheckpoint,
  type Checkpoint,
  type StageRecord,
} from './checkpoint-file.ts';
export { checkpointing } from './checkpointing.ts';
export { ownJson } from './own-json.ts';
