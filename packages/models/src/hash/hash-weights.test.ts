import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { crc32 } from './crc32.ts';
import { hashWeights } from './hash-weights.ts';

// Computed with numpy in float32 from the definition.
test.each([
  [
    'block1_conv1/kernel',
    [3, 3, 3, 64],
    0.20631523430347443,
    'b0d02e8e984c1b387c6402912643e04bbd16fe3b988166a0d55776eaa4104963',
  ],
  [
    'block1_conv1/bias',
    [64],
    0.042086489498615265,
    '1eda6d7fccb1d67556d5cc62e58c5cf8d7cef78233d874e4a6cc7ef3f1270069',
  ],
  [
    'head_dense/kernel',
    [8192, 256],
    0.006703238468617201,
    '639002cc12b9af2f40409fff913b6d4e48f21048aea268876f5ad660ad4af8e2',
  ],
  [
    'head_out/bias',
    [1],
    0.025740617886185646,
    'd41380c9c77a8926d86ddb6b4538089c4de262cc5747a88b79544f089b871650',
  ],
])('%s %j is bit for bit that of numpy', (name, shape, first, sha256) => {
  const values = hashWeights(name, shape);
  expect(values[0]).toBe(first);
  expect(createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex')).toBe(sha256);
});

test('other names and ranks are refused', () => {
  expect(() => hashWeights('bn/gamma', [3])).toThrow(expect.objectContaining({ code: 'weights/hash-name' }));
  expect(() => hashWeights('a/kernel', [3])).toThrow(expect.objectContaining({ code: 'weights/shape' }));
});

test('crc32 has its check value, also in pieces', () => {
  const bytes = new TextEncoder().encode('123456789');
  expect(crc32(bytes)).toBe(0xcbf43926);
  expect(crc32(bytes.subarray(4), crc32(bytes.subarray(0, 4)))).toBe(0xcbf43926);
});
