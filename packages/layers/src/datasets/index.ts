import type { Dataset as BatchSource } from '../tensor/host-array.ts';
import { fromGenerator, fromTensorSlices } from './sources.ts';

export { BatchDataset, SampleDataset } from './datasets.ts';
export type { ElementSource } from './sources.ts';
export type { Sample } from './stack.ts';

/** Batches of one epoch after another. A plain structural type: anything with these members is a dataset. */
export type Dataset = BatchSource;

/** Where datasets come from: `Dataset.fromTensorSlices({ x, y }).shuffle(1000, 7).batch(32)`. */
export const Dataset = { fromTensorSlices, fromGenerator } as const;
