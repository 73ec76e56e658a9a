import { ConvbaseError, visibleJson } from '@convbase/base';
import { writeFileAtomic } from '@convbase/base/node';
import type { Callback } from '@convbase/layers';
import { z } from 'zod';
import { jsonNumber } from './state.ts';

const schema = z.object({
  epoch: z.array(z.number()),
  history: z.record(z.string(), z.array(z.number().nullable())),
});

/**
 * What `history.json` holds: the numbers of the epochs, counted from 0, and for each key one value per epoch. null
 * stands for what an epoch does not have and for what is no finite number.
 */
export type HistoryFile = z.infer<typeof schema>;

/** Keras' History as a file that is whole after every epoch, and that goes on through several calls of `fit`. */
export function historyFile(path: string): Callback & { readonly data: HistoryFile } {
  let data: HistoryFile = { epoch: [], history: {} };
  const write = (): Promise<void> => writeFileAtomic(path, `${visibleJson(data)}\n`);
  return {
    name: 'historyFile',
    get data() {
      return data;
    },
    getState: () => ({ json: structuredClone(data) }),
    setState({ json }) {
      data = parseHistory(json, path);
    },
    onTrainBegin: write,
    async onEpochEnd(epoch, logs) {
      addEpoch(data, epoch, logs);
      await write();
    },
  };
}

/** Checks what was read from a `history.json` or a checkpoint. Throws `history/format`. */
export function parseHistory(json: unknown, where: string): HistoryFile {
  const parsed = schema.safeParse(json);
  const lengths = parsed.success ? Object.values(parsed.data.history).map((values) => values.length) : [];
  if (parsed.success && lengths.every((length) => length === parsed.data.epoch.length)) return parsed.data;
  throw new ConvbaseError('history/format', 'it is no history of a training', {
    where,
    fix: 'Use a history.json that convbase wrote.',
  });
}

function addEpoch(data: HistoryFile, epoch: number, logs: Readonly<Record<string, number>>): void {
  const before = data.epoch.length;
  data.epoch.push(epoch);
  for (const key of new Set([...Object.keys(data.history), ...Object.keys(logs)])) {
    const values = (data.history[key] ??= new Array<null>(before).fill(null));
    values.push(jsonNumber(logs[key]));
  }
}
