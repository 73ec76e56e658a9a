import { FMA_CHAINS, fmaChainLength, type FmaOptions } from './roofline.ts';

/** What each thread of `planFmaRate` writes: n steps of a -> a f + t make a f^n + t (f^n - 1) / (f - 1) of a. */
export function fmaRate(options: FmaOptions): Float64Array {
  const { threads, factor, term } = options;
  const power = factor ** fmaChainLength(options);
  return Float64Array.from({ length: threads }, (_, thread) => {
    let sum = 0;
    for (let chain = 0; chain < FMA_CHAINS; chain++) {
      sum += ((thread % 1024) / 1024 + chain) * power + (term * (power - 1)) / (factor - 1);
    }
    return sum;
  });
}
