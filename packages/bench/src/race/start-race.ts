import { join } from 'node:path';
import { makeFolder, remove } from '@convbase/base/node';
import { Child } from './child.ts';
import type { Outcome, RaceOptions, Side, Timing } from './race.ts';

/** Where drivers keep the shaders that they have compiled: Mesa's, and NVIDIA's. */
function shaderCache(folder: string): Record<string, string> {
  return { MESA_SHADER_CACHE_DIR: folder, __GL_SHADER_DISK_CACHE_PATH: folder };
}

/**
 * Times how long sides take from the start of their process to their first result, in turn. Cold, each start finds an
 * empty folder where the driver keeps compiled shaders; warm, the one that a start before it has filled. (That files
 * have been read before, and lie in memory, is so in both.)
 *
 * @param folder for those caches; made and removed
 */
export async function startRace(
  sides: readonly Side[],
  state: 'cold' | 'warm',
  folder: string,
  { rounds, budgetMs, limitMs, onEvent = () => undefined, signal }: RaceOptions,
): Promise<Outcome[]> {
  const timings = sides.map((): Timing[] => []);
  const outcomes = sides.map(({ label }): Outcome => ({ label, timings: [] }));
  let begin = performance.now();
  for (let round = state === 'warm' ? -1 : 0; round < rounds; round++) {
    if (round >= 2 && performance.now() - begin > budgetMs) break;
    if (round === 0) begin = performance.now();
    for (const [index, side] of sides.entries()) {
      if (outcomes[index]?.error !== undefined) continue;
      signal?.throwIfAborted();
      onEvent(`start ${round + 1} of ${rounds}, ${side.label}`);
      const cache = join(folder, `${index}-${state === 'warm' ? 'all' : round}`);
      await makeFolder(cache);
      const { outcome, timing } = await startOnce(side, shaderCache(cache), limitMs);
      outcomes[index] = outcome;
      if (round >= 0 && timing !== undefined) timings[index]?.push(timing);
    }
  }
  await remove(folder);
  return outcomes.map((outcome, index) =>
    outcome.error === undefined ? { ...outcome, timings: timings[index] ?? [] } : outcome,
  );
}

async function startOnce(
  { label, file, task }: Side,
  environment: Readonly<Record<string, string>>,
  limitMs: number,
): Promise<{ outcome: Outcome; timing?: Timing }> {
  const start = performance.now();
  const child = new Child(file, task, environment);
  try {
    const ready = await child.next(limitMs);
    const milliseconds = performance.now() - start;
    if (ready.kind !== 'ready') {
      const error =
        ready.kind === 'failed'
          ? { unsupported: ready.unsupported, message: ready.message }
          : { unsupported: false, message: `answered '${ready.kind}' at the wrong time` };
      return { outcome: { label, timings: [], error } };
    }
    const ended = await child.ask('end', 10_000);
    const { runner, outputs, cpuMilliseconds } = ready;
    const peaks =
      ended.kind === 'ended'
        ? {
            peakResidentBytes: ended.peakResidentBytes,
            ...(ended.peakGpuBytes === undefined ? {} : { peakGpuBytes: ended.peakGpuBytes }),
          }
        : {};
    return {
      outcome: { label, timings: [], runner, outputs, ...peaks },
      timing: { milliseconds, cpuMilliseconds },
    };
  } finally {
    await child.end();
  }
}
