import { ladders, type Gpu, type Ladder } from '@convbase/core-gpu';
import type { LadderResult } from '../results/schema.ts';
import { climb, type RungResult } from './climb.ts';
import { WRONG_FROM } from './table.ts';

export interface ClimbOptions {
  /** Default: all there are. */
  readonly ladders?: Readonly<Record<string, Ladder>>;
  /** How often rungs take turns. */
  readonly rounds?: number;
  /** Told which ladder is being climbed. */
  readonly onStatus?: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Climbs ladders; no time is kept of a rung that computes something else than the first one.
 *
 * @throws what the signal was aborted for
 */
export async function climbAll(gpu: Gpu, options: ClimbOptions = {}): Promise<LadderResult[]> {
  const { rounds, onStatus, signal } = options;
  const results: LadderResult[] = [];
  for (const [name, ladder] of Object.entries(options.ladders ?? ladders)) {
    signal?.throwIfAborted();
    onStatus?.(`versions of ${name}`);
    const rungs = await climb(gpu, ladder, rounds);
    results.push({ kernel: name, problem: ladder.problem, rungs: rungs.map(checked) });
  }
  return results;
}

function checked({
  rung,
  milliseconds,
  gigaflops,
  speedup,
  difference,
}: RungResult): LadderResult['rungs'][number] {
  const right = difference < WRONG_FROM;
  return {
    rung,
    milliseconds: right ? milliseconds : null,
    gigaflops: right ? gigaflops : null,
    speedup: right ? speedup : null,
    difference: Number.isFinite(difference) ? difference : null,
  };
}
