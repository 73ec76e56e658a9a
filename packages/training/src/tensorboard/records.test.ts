import { readFileSync } from 'node:fs';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { crc32c, maskedCrc32c } from './crc32c.ts';
import { fileVersionEvent, summaryEvent } from './event.ts';
import { histogram } from './histogram.ts';
import { record } from './record.ts';

describe('crc32c', () => {
  // The vectors of RFC 3720, B.4, and the check value of the CRC catalogue.
  it.each([
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(255), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    [Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    [new TextEncoder().encode('123456789'), 0xe3069283],
    [new Uint8Array(0), 0],
  ])('of %j', (bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });
  it('is masked by a rotation and a constant', () => {
    expect(maskedCrc32c(new Uint8Array(0))).toBe(0xa282ead8);
    const crc = 0xe3069283;
    const rotated = Number.parseInt(crc.toString(2).slice(-15) + crc.toString(2).slice(0, -15), 2);
    expect(maskedCrc32c(new TextEncoder().encode('123456789'))).toBe((rotated + 0xa282ead8) % 2 ** 32);
  });
});

const { values, records } = JSON.parse(
  readFileSync(new URL('../../fixtures/event-file.json', import.meta.url), 'utf8'),
) as { values: number[]; records: string[] };
const [version = '', first = '', later = '', kernel = '', bias = ''] = records;

/** TensorFlow's record without its frame, and when it was written. */
function eventOf(base64: string): { readonly data: Uint8Array; readonly seconds: number } {
  const bytes = Buffer.from(base64, 'base64');
  const data = Uint8Array.from(bytes.subarray(12, -4));
  const reader = new BinaryReader(data);
  expect(reader.tag()).toEqual([1, 1]);
  return { data, seconds: reader.double() };
}

describe('events as TensorFlow writes them', () => {
  it.each(records.map((_, index) => index))('frames record %i', (index) => {
    const { data } = eventOf(records[index]!);
    expect(Buffer.from(record(data)).toString('base64')).toBe(records[index]);
  });
  it('encodes scalars', () => {
    const loss = (value: number) =>
      ({ tag: 'epoch_loss', plugin: 'scalars', values: Float32Array.of(value), shape: [] }) as const;
    const a = eventOf(first);
    expect(summaryEvent(a.seconds, 0, loss(0.7054578065872192))).toEqual(a.data);
    const b = eventOf(later);
    expect(summaryEvent(b.seconds, 300, loss(0.5))).toEqual(b.data);
  });
  it('encodes histograms, whose edges TensorFlow rounds in its own way', () => {
    for (const [tag, text, numbers] of [
      ['dense/kernel/histogram', kernel, values],
      ['dense/bias/histogram', bias, [0.5, 0.5]],
    ] as const) {
      const expected = eventOf(text);
      const buckets = histogram(Float32Array.from(numbers));
      const ours = summaryEvent(expected.seconds, 3, {
        tag,
        plugin: 'histograms',
        values: buckets,
        shape: [30, 3],
      });
      const at = Buffer.from(ours).indexOf(Buffer.from(buckets.buffer));
      const theirs = new Float64Array(expected.data.slice(at, at + buckets.byteLength).buffer);
      theirs.forEach((value, index) => {
        expect(Math.abs(buckets[index]! - value)).toBeLessThanOrEqual(4e-16 * Math.abs(value) + 3e-16);
      });
      const masked = Uint8Array.from(ours);
      masked.set(expected.data.subarray(at, at + buckets.byteLength), at);
      expect(masked).toEqual(expected.data);
    }
  });
  it('begins a file with its version', () => {
    const { seconds, data } = eventOf(version);
    const reader = new BinaryReader(fileVersionEvent(seconds));
    reader.tag();
    expect(reader.double()).toBe(seconds);
    expect(reader.tag()).toEqual([3, 2]);
    expect(reader.string()).toBe('brain.Event:2');
    expect(Buffer.from(data).includes('brain.Event:2')).toBe(true);
  });
});

describe('histogram', () => {
  it('counts everything finite', () => {
    const random = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i * 12.9898) * 43);
    random[3] = Number.NaN;
    random[4] = Infinity;
    const buckets = histogram(random);
    const counts = buckets.filter((_, index) => index % 3 === 2);
    expect(counts.reduce((a, b) => a + b)).toBe(998);
    expect(buckets[0]).toBe(Math.min(...random.filter(Number.isFinite)));
    expect(buckets[88]).toBe(Math.max(...random.filter(Number.isFinite)));
    for (let row = 0; row < 29; row++) expect(buckets[row * 3 + 1]).toBe(buckets[row * 3 + 3]);
  });
  it('of nothing is nothing', () => {
    expect(histogram(new Float32Array(0))).toEqual(new Float64Array(90));
    expect(histogram(Float32Array.of(Number.NaN))).toEqual(new Float64Array(90));
  });
});
