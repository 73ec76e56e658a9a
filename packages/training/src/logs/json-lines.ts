import { visibleJson } from '@convbase/base';
import type { Callback } from '@convbase/layers';
import { jsonNumber, textState } from './state.ts';
import { TextLog } from './text-log.ts';

export interface JsonLinesOptions {
  /** Goes on with the file that is there instead of starting it anew. */
  readonly append?: boolean;
}

/** One line of the log. */
export interface LogLine {
  /** When the epoch ended, ISO 8601 in UTC. */
  readonly time: string;
  /** Counted from 0. */
  readonly epoch: number;
  /** At the end of the epoch; missing where the callback was not told the model. */
  readonly learningRate?: number;
  /** null stands for what is no finite number. */
  readonly logs: Readonly<Record<string, number | null>>;
}

/** A line of JSON for each epoch, for programs that watch a run. Errors are those of `fileError`. */
export function jsonLines(path: string, { append = false }: JsonLinesOptions = {}): Callback {
  const log = new TextLog(path);
  let learningRate: (() => number) | undefined;
  return {
    name: 'jsonLines',
    ...textState(log),
    setModel(model) {
      learningRate = () => model.compiled.optimizer.learningRate;
    },
    async onTrainBegin() {
      await log.begin(append);
    },
    async onEpochEnd(epoch, logs) {
      const line: LogLine = {
        time: new Date().toISOString(),
        epoch,
        ...(learningRate === undefined ? {} : { learningRate: learningRate() }),
        logs: Object.fromEntries(Object.entries(logs).map(([key, value]) => [key, jsonNumber(value)])),
      };
      await log.add(`${visibleJson(line)}\n`);
    },
  };
}
