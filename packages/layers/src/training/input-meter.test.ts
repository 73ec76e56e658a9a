import { describe, expect, it } from 'vitest';
import { bottleneckOf, InputMeter } from '../index.ts';
import { lookahead, Pace } from './batches.ts';

/** A world with a clock of its own: whatever takes time is an event in it, so that nothing here depends on the machine. */
class World {
  now = 0;
  #events: { readonly at: number; readonly happen: () => void }[] = [];

  /** Something that is done after so many milliseconds. */
  after(milliseconds: number): Promise<void> {
    return new Promise((happen) => this.#events.push({ at: this.now + milliseconds, happen }));
  }

  /** Lets time pass until the work is done. */
  async until(work: Promise<void>): Promise<void> {
    const state = { done: false };
    const finished = work.finally(() => (state.done = true));
    for (;;) {
      // Everything that needs no time happens first.
      await new Promise((resolve) => setImmediate(resolve));
      if (state.done) return finished;
      this.#events.sort((a, b) => a.at - b.at);
      const event = this.#events.shift();
      if (event === undefined) throw new Error('nothing will ever happen again');
      this.now = event.at;
      event.happen();
    }
  }
}

interface Speeds {
  readonly batches: number;
  /** Milliseconds that each takes. */
  readonly decode: number;
  readonly gpu: number;
  readonly record: number;
}

/** A loop as `fit` runs it, with decoder, GPU and recording thread of given speeds. */
async function loop({ batches, decode, gpu, record }: Speeds): Promise<InputMeter> {
  const world = new World();
  const meter = new InputMeter(() => world.now);
  async function* decoded(): AsyncGenerator<number> {
    for (let i = 0; i < batches; i++) {
      await world.after(decode);
      yield i;
    }
  }
  let queue: Promise<void> = Promise.resolve();
  const submit = (): Promise<void> => (queue = queue.then(() => world.after(gpu)));
  const run = async (): Promise<void> => {
    const pace = new Pace(meter);
    for await (const _ of lookahead(decoded(), undefined, meter)) {
      await world.after(record);
      await pace.add(submit());
    }
    await pace.drain();
  };
  await world.until(run());
  return meter;
}

describe('InputMeter', () => {
  it('calls a slow decoder the bottleneck of a fast GPU', async () => {
    const meter = await loop({ batches: 11, decode: 100, gpu: 10, record: 1 });
    const times = meter.times();
    // From the first batch at 100 ms to the end of the last one; between them the GPU waits for 100 - 10 - 1.
    expect(times.batches).toBe(11);
    expect(times.seconds).toBeCloseTo(1.011, 6);
    expect(times.waiting).toBeCloseTo(0.89, 6);
    expect(times.between).toBeCloseTo(0.011, 6);
    expect(bottleneckOf(times)).toBe('input');
  });

  it('calls the adapter the bottleneck where pictures are ready in time', async () => {
    const times = (await loop({ batches: 11, decode: 10, gpu: 100, record: 1 })).times();
    expect(times.seconds).toBeCloseTo(1.101, 6);
    expect(times.waiting).toBe(0);
    expect(times.between).toBeCloseTo(0.001, 6);
    expect(bottleneckOf(times)).toBe('adapter');
  });

  it('calls the program the bottleneck where recording takes longer than computing', async () => {
    const times = (await loop({ batches: 11, decode: 1, gpu: 2, record: 10 })).times();
    expect(times.waiting).toBe(0);
    expect(times.between).toBeCloseTo(0.09, 6);
    expect(bottleneckOf(times)).toBe('program');
  });

  it('hides waiting behind what the GPU still has to do', async () => {
    // Uneven, but never slower than the GPU in the long run: only what is left over after computing is waiting.
    const times = (await loop({ batches: 4, decode: 60, gpu: 50, record: 0 })).times();
    expect(times.waiting).toBeCloseTo(0.03, 6);
    expect(bottleneckOf(times)).toBe('input');
  });

  it('adds up over loops and leaves out the time between them', async () => {
    let now = 0;
    const meter = new InputMeter(() => now);
    const turn = async (): Promise<void> => {
      meter.begin();
      await meter.batch(Promise.resolve({ value: 1 }));
      const work = Promise.resolve();
      meter.handed(work);
      now += 5;
      await work;
      await new Promise((resolve) => setImmediate(resolve));
      meter.end();
    };
    await turn();
    now += 1000;
    await turn();
    expect(meter.times()).toEqual({ seconds: 0.01, waiting: 0, between: 0, batches: 2 });
  });

  it('finds nothing to complain of where nothing ran', () => {
    expect(bottleneckOf(new InputMeter().times())).toBe('adapter');
  });

  it('does not keep a failed batch from being reported', async () => {
    const meter = new InputMeter();
    async function* failing(): AsyncGenerator<number> {
      yield await Promise.reject<number>(new Error('no picture'));
    }
    const reading = async (): Promise<void> => {
      for await (const _ of lookahead(failing(), undefined, meter)) meter.handed(Promise.resolve());
    };
    await expect(reading()).rejects.toThrow('no picture');
    expect(meter.times().batches).toBe(0);
  });
});
