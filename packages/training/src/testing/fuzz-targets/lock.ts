import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOCK_FILE, lockFolder } from '@convbase/base/node';
import {
  damagedJsonFile,
  encode,
  inFolder,
  type FuzzTarget,
} from '../../../../base/src/testing/fuzz-target.ts';

/** A lock whose process is no more is taken; one that is nobody's is not. */
export async function lockTarget(scratch: string): Promise<FuzzTarget> {
  const folder = inFolder(join(scratch, 'lock'), {});
  const release = await lockFolder(folder);
  const mine = JSON.parse(readFileSync(join(folder, LOCK_FILE), 'utf8')) as object;
  await release();
  // No system gives so high a number to a process.
  const holder = { ...mine, pid: 2 ** 30 };
  return {
    name: 'lock',
    whole: [{ input: { [LOCK_FILE]: encode(JSON.stringify(holder)) }, gives: 'taken' }],
    damaged: damagedJsonFile(holder).map((lock) => ({ [LOCK_FILE]: lock })),
    read: async (input) => {
      const done = await lockFolder(inFolder(folder, input));
      await done();
      return 'taken';
    },
    runs: 500,
    deep: 15,
  };
}
