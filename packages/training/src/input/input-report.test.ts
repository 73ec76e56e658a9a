import { InputMeter } from '@convbase/layers';
import { describe, expect, it } from 'vitest';
import { describeInput, inputReport, type InputPlace, type InputReport } from './index.ts';

/** A meter that saw ten batches which took so many seconds to decode and to compute. */
async function metered(decode: number, compute: number): Promise<InputMeter> {
  let now = 0;
  const meter = new InputMeter(() => now);
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  meter.begin();
  for (let i = 0; i < 10; i++) {
    let arrive = (_: IteratorResult<number>): void => undefined;
    const asked = meter.batch(new Promise<IteratorResult<number>>((resolve) => (arrive = resolve)));
    now += 1000 * decode;
    arrive({ value: i });
    await asked;
    let finish = (): void => undefined;
    meter.handed(new Promise<void>((resolve) => (finish = resolve)));
    now += 1000 * compute;
    finish();
    await turn();
  }
  meter.end();
  return meter;
}

const place: InputPlace = { what: 'pictures', software: false, threads: 16, cores: 16 };
const report = (change: Partial<InputReport>): InputReport => ({
  seconds: 41.2,
  waited: 0.31,
  between: 0,
  bottleneck: 'adapter',
  ...change,
});

describe('inputReport', () => {
  it('blames a slow decoder beside a fast GPU', async () => {
    const found = inputReport(await metered(1, 0.25));
    expect(found).toEqual({ seconds: 11.5, waited: 9, between: 0, bottleneck: 'input' });
  });

  it('adds what an earlier process found', async () => {
    const earlier = report({ seconds: 100, waited: 0 });
    expect(inputReport(await metered(1, 0.25), earlier)).toEqual({
      seconds: 111.5,
      waited: 9,
      between: 0,
      bottleneck: 'adapter',
    });
  });
});

describe('describeInput', () => {
  it('says that the adapter is the bottleneck', () => {
    expect(describeInput(report({}), place)).toEqual([
      'waited 0.3 s of 41 s for pictures: the adapter is the bottleneck',
    ]);
  });

  it('says what helps where pictures come too slowly', () => {
    const slow = report({ waited: 30, bottleneck: 'input' });
    const [line, usual] = describeInput(slow, place);
    expect(line).toBe('waited 30 s of 41 s for pictures: decoding them is the bottleneck');
    expect(usual).toBe(
      'copies of the pictures that are not much larger than --size decode faster, and so do more cores than these 16',
    );
    expect(describeInput(slow, { ...place, threads: 4 })[1]).toBe(
      '4 threads decode on 16 cores: UV_THREADPOOL_SIZE=16 lets all of them do it',
    );
    expect(describeInput(slow, { ...place, software: true })[1]).toContain('software adapter share 16 cores');
    expect(describeInput(slow, { ...place, what: 'features' })).toEqual([
      'waited 30 s of 41 s for features: reading them is the bottleneck',
      'a faster disk helps, or more free memory',
    ]);
    expect(describeInput({ ...slow, seconds: 1, waited: 0.9 }, place)).toHaveLength(1);
  });

  it('says what helps where recording commands takes longer than computing', () => {
    const slow = report({ between: 20, bottleneck: 'program' });
    const line = 'waited 0.3 s of 41 s for pictures, and 20 s for this program: its thread is the bottleneck';
    expect(describeInput(slow, { ...place, batches: '--batch-size' })).toEqual([
      line,
      'larger batches (--batch-size) give the adapter more to do at once',
    ]);
    // Where there is no such option, none is recommended.
    expect(describeInput(slow, place)).toEqual([line]);
  });
});
