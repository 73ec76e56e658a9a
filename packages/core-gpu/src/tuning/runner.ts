import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '../device/gpu.ts';
import { differenceOf } from './check.ts';
import { median } from './median.ts';
import type { KeptBuffers, ProblemBuffers } from './problem-buffers.ts';
import { sameChoice } from './table.ts';
import type { CandidatePlans } from './tunable.ts';

/** A candidate this many times slower than the fastest is not timed again. */
export const HOPELESS = 3;

/** One candidate at work. */
export class Runner {
  readonly choice: object;
  readonly plans: CandidatePlans;
  readonly times: number[] = [];
  error: number | null = null;
  refused: string | undefined;
  readonly #gpu: Gpu;
  readonly #buffers: ProblemBuffers;
  #kept: KeptBuffers | undefined;

  constructor(gpu: Gpu, buffers: ProblemBuffers, choice: object, plans: CandidatePlans) {
    this.#gpu = gpu;
    this.#buffers = buffers;
    this.choice = choice;
    this.plans = plans;
  }

  /** The shortest time; Infinity for one that never ran to its end. */
  get least(): number {
    return Math.min(...this.times);
  }

  /** Whether it is too slow to be worth another look. */
  isHopeless(fastest: number): boolean {
    return this.least > HOPELESS * fastest;
  }

  /** Whether it differs from another candidate in nothing but `splits`, and was far too slow. */
  isHopelessSiblingOf(other: Runner, fastest: number): boolean {
    if (this === other || this.times.length === 0 || !this.isHopeless(fastest)) return false;
    return sameChoice({ ...this.choice, splits: 0 }, { ...other.choice, splits: 0 });
  }

  /** What it computes. */
  async result(): Promise<Float32Array> {
    this.#buffers.spoil();
    this.#keep().run(this.plans);
    return this.#buffers.output();
  }

  /** Whether it runs, is right, and how long it takes; says in `refused` why it may not go on. */
  async tryOut(reference: Float32Array, tolerance: number, fastest: number): Promise<void> {
    const { each, once } = this.plans;
    try {
      await this.#gpu.prepare(once ? [once, each] : [each]);
    } catch (error) {
      // One that this adapter does not compile is no candidate here; nothing was recorded yet.
      if (!(error instanceof ConvbaseError) || error.code !== 'shader/compile') throw error;
      this.refused = error.message;
      return;
    }
    this.error = differenceOf(reference, await this.result());
    if (!(this.error <= tolerance)) {
      this.refused = `wrong by ${this.error.toExponential(1)}`;
      return;
    }
    await this.time();
    // One slow run may be the machine's fault.
    for (let again = 0; again < 2 && this.isHopeless(fastest) && this.least < 4 * HOPELESS * fastest; again++)
      await this.time();
    if (this.isHopeless(fastest)) this.refused = `more than ${String(HOPELESS)} times slower`;
  }

  async time(): Promise<void> {
    const kept = this.#keep();
    this.times.push(
      await timed(this.#gpu, () => {
        kept.run(this.plans);
      }),
    );
  }

  /** Before the race: what went before was warming up. */
  forgetTimes(): void {
    this.times.length = 0;
  }

  median(): number {
    return median(this.times);
  }

  release(): void {
    this.#kept?.release();
  }

  #keep(): KeptBuffers {
    return (this.#kept ??= this.#buffers.keep(this.plans));
  }
}

/**
 * Milliseconds from the first to the last timestamp of what `record` records, or, where the device has no timestamps,
 * from its submission to the end of its work.
 */
async function timed(gpu: Gpu, record: () => void): Promise<number> {
  await gpu.takeProfileEvents(); // what was recorded before is done now
  const from = performance.now();
  record();
  const events = await gpu.takeProfileEvents();
  const wall = performance.now() - from;
  const [first] = events;
  if (first === undefined) return wall;
  const end = Math.max(...events.map(({ start, nanoseconds }) => start + nanoseconds));
  return (end - first.start) / 1e6;
}
