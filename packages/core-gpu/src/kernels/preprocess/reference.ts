import type { PreprocessMode } from './preprocess.ts';

/** ImageNet's mean colour, blue first (Keras' `imagenet_utils`). */
const MEAN_BGR = [103.939, 116.779, 123.68] as const;

/** uint8 RGB to floats in float64. */
export function preprocess(mode: PreprocessMode, bytes: ArrayLike<number>): Float64Array {
  return Float64Array.from(bytes, (value, i) => {
    const channel = i % 3;
    if (mode === 'caffe') return (bytes[i - channel + 2 - channel] ?? NaN) - (MEAN_BGR[channel] ?? NaN);
    if (mode === 'tf') return value / 127.5 - 1;
    return mode === 'rescale' ? value / 255 : value;
  });
}
