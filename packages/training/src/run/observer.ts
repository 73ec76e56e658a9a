import type { Callback } from '@convbase/layers';

/** Where in a run a stage is. */
export interface StagePlace {
  readonly name: string;
  /** Counted from 0, and of how many. */
  readonly index: number;
  readonly count: number;
  /** The stage's epochs, counted from 0 over the whole run. */
  readonly firstEpoch: number;
  readonly endEpoch: number;
  /** Batches of an epoch, where they are known beforehand. */
  readonly steps: number | undefined;
}

/** Told what a run does. */
export interface RunObserver {
  /** A line for people. */
  say?(line: string): void;
  /** Pictures that went through the frozen part of the model. */
  count?(what: string, done: number, total: number): void;
  /** Callbacks for the training of a stage. */
  callbacks?(stage: StagePlace): readonly Callback[];
}
