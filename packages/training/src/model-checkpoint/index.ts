export { ModelCheckpoint, type ModelCheckpointOptions } from './model-checkpoint.ts';
