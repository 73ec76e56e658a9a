import { ConvbaseError, visible, visibleLine } from '@convbase/base';
import { ladders, openGpu } from '@convbase/core-gpu';
import { ensureDriver } from '@convbase/driver';
import { climb } from './climb.ts';
import { table, WRONG_FROM } from './table.ts';

/**
 * `npm run ladder -- conv2d`: runs every version of a kernel, from the naive one to the one in use, and prints how
 * fast each is and how far its result is from the first one's. `all` climbs every ladder. Exit code 1 where a rung
 * computes something else, 2 for wrong usage.
 */
async function main(names: readonly string[]): Promise<number> {
  const known = Object.keys(ladders);
  const wanted = names.includes('all') ? known : names;
  const unknown = wanted.filter((name) => !known.includes(name));
  if (wanted.length === 0 || unknown.length > 0) {
    if (unknown.length > 0) console.error(visibleLine(`no ladder is called ${unknown.join(', ')}`));
    console.error(visible(`usage: npm run ladder -- NAME... | all\n  names: ${known.join(', ')}`));
    return 2;
  }
  await ensureDriver();
  const gpu = await openGpu();
  try {
    console.log(visibleLine(`on ${gpu.adapter.name} (${gpu.adapter.kind})`));
    let wrong = false;
    for (const name of wanted) {
      const ladder = ladders[name];
      if (!ladder) continue;
      const results = await climb(gpu, ladder);
      console.log(visible(`\n${ladder.kernel}: ${ladder.problem}`));
      for (const line of table(results)) console.log(visibleLine(`  ${line}`));
      wrong ||= results.some(({ difference }) => !(difference < WRONG_FROM));
    }
    return wrong ? 1 : 0;
  } finally {
    gpu.destroy();
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ConvbaseError)) throw error;
  console.error(visible(`error: ${error.message}`));
  process.exitCode = 1;
}
