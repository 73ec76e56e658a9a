import type { Dimension } from '../tensor/shape.ts';
import type { Padding } from './pairs.ts';

/** How many windows of size `k` fit along one axis of length `n` (null where that is not known yet). */
export function windowCount(
  n: Dimension,
  k: number,
  stride: number,
  padding: Padding,
  dilation = 1,
): Dimension {
  if (n === null) return null;
  if (padding === 'same') return Math.ceil(n / stride);
  return Math.floor((n - ((k - 1) * dilation + 1)) / stride) + 1;
}
