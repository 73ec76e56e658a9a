import type { ConcatSlice } from './concat.ts';

/** `y` with `x` in its slice. */
export function concatWrite(slice: ConcatSlice, x: ArrayLike<number>, y: ArrayLike<number>): Float64Array {
  const { channels, totalChannels, offset } = slice;
  return Float64Array.from(y, (old, i) => {
    const channel = (i % totalChannels) - offset;
    if (channel < 0 || channel >= channels) return old;
    return x[Math.floor(i / totalChannels) * channels + channel] ?? NaN;
  });
}

/** The slice of `y`. */
export function concatRead(slice: ConcatSlice, y: ArrayLike<number>): Float64Array {
  const { rows, channels, totalChannels, offset } = slice;
  return Float64Array.from(
    { length: rows * channels },
    (_, i) => y[Math.floor(i / channels) * totalChannels + offset + (i % channels)] ?? NaN,
  );
}
