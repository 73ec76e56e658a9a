import { readFileSync } from 'node:fs';

type Numeric = number | string | null;

interface Case<Step> {
  readonly config: Readonly<Record<string, unknown>>;
  readonly values: readonly Numeric[];
  readonly trace: readonly Step[];
}

interface Traces {
  readonly earlyStopping: readonly (Case<{
    readonly wait: number;
    readonly best: Numeric;
    readonly bestEpoch: number;
    readonly stoppedEpoch: number;
    readonly stop: boolean;
  }> & { readonly restored: number | null })[];
  readonly reduceLROnPlateau: readonly Case<{
    readonly wait: number;
    readonly best: Numeric;
    readonly cooldown: number;
    readonly logged: number;
    readonly learningRate: number;
  }>[];
  readonly learningRateScheduler: readonly (readonly { readonly logged: number }[])[];
  readonly schedules: readonly {
    readonly serialized: Readonly<Record<string, unknown>>;
    readonly values: readonly number[];
  }[];
}

const file = new URL('../../fixtures/training/callbacks.json', import.meta.url);

/** What Keras' callbacks and schedules decide; see fixtures/training/make_callbacks.py. */
export const callbackTraces = JSON.parse(readFileSync(file, 'utf8')) as Traces;
