import { describe, expect, it } from 'vitest';
import { withGpu } from '../testing/gpu.ts';
import { scope } from './scope.ts';
import { tensor, Tensor } from './tensor.ts';

describe('a tensor', () => {
  const gpu = withGpu({ backend: 'null' });

  it('gives its buffer back when the last view is disposed of', () => {
    const a = Tensor.empty(gpu(), [2, 3], 'a');
    const b = a.reshape([6]);
    const c = b.share();
    expect(gpu().memory().liveBuffers).toBe(1);
    expect(a.exclusive).toBe(false);
    a.dispose();
    c.dispose();
    expect(gpu().memory().liveBuffers).toBe(1);
    expect(b.exclusive).toBe(true);
    b.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it('may be disposed of twice, but not used afterwards', () => {
    const a = tensor(gpu(), new Float32Array(6), [2, 3]);
    const b = a.share();
    a.dispose();
    a.dispose();
    expect(gpu().memory().liveBuffers).toBe(1);
    expect(() => a.buffer).toThrow(/after dispose/);
    expect(() => a.share()).toThrow(/after dispose/);
    b.dispose();
  });

  it('cannot be given a shape of another size', () => {
    const a = Tensor.empty(gpu(), [2, 3], 'a');
    expect(() => a.reshape([4])).toThrow('(2, 3) cannot be seen as (4,): 6 against 4 elements');
    expect(() => tensor(gpu(), new Float32Array(5), [2, 3])).toThrow('5 values do not fill the shape (2, 3)');
    a.dispose();
  });

  it('keeps bytes in a buffer of whole words', () => {
    const bytes = tensor(gpu(), new Uint8Array(7), [7]);
    expect(bytes.dtype).toBe('uint8');
    expect(bytes.buffer.size % 4).toBe(0);
    expect(bytes.buffer.size).toBeGreaterThanOrEqual(7);
    bytes.dispose();
  });
});

describe('a scope', () => {
  const gpu = withGpu({ backend: 'null' });

  it('disposes of what it owns, also after an error, but not of what it let go', async () => {
    const kept = await scope(gpu(), (own) => {
      own.tensor(new Float32Array(4), [4]);
      return own.keep(own.tensor(new Float32Array(4), [4]));
    });
    expect(gpu().memory().liveBuffers).toBe(1);
    kept.dispose();
    await expect(
      scope(gpu(), (own) => {
        own.tensor(new Float32Array(4), [4]);
        throw new Error('half-way');
      }),
    ).rejects.toThrow('half-way');
    expect(gpu().memory().liveBuffers).toBe(0);
  });
});
