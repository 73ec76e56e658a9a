export { hashWeights } from './hash-weights.ts';
