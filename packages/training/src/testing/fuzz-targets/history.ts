import { z } from 'zod';
import {
  damagedJsonFile,
  decode,
  encode,
  type FuzzTarget,
} from '../../../../base/src/testing/fuzz-target.ts';
import { ownJson } from '../../checkpoint/index.ts';
import { historyFile } from '../../logs/index.ts';

/** What training leaves of its epochs. */
export const history = { epoch: [0, 1], history: { loss: [0.5, 0.25], val_loss: [null, 1] } };

export function historyTarget(): FuzzTarget {
  return {
    name: 'history',
    whole: [{ input: { history: encode(JSON.stringify(history)) }, gives: history }],
    damaged: damagedJsonFile(history).map((text) => ({ history: text })),
    read: async ({ history: text }) => {
      const file = historyFile('history.json');
      await file.setState?.({ json: ownJson(z.unknown(), decode(text), 'history/format', 'history') });
      return file.data;
    },
    runs: 800,
    deep: 8,
  };
}
