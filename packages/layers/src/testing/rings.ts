import { Dense, input, NameScope, Sequential, type Dataset, type Layer, type Model } from '../index.ts';
import { randoms } from './numbers.ts';

/** Points of the plane, labelled by whether they lie in a ring: no line separates them. */
export function rings(samples: number, batchSize: number, seed = 1): Dataset {
  const points = randoms(2 * samples, seed);
  const label = (i: number): number => (Math.hypot(points[2 * i] ?? 0, points[2 * i + 1] ?? 0) < 0.7 ? 1 : 0);
  return {
    batchCount: Math.ceil(samples / batchSize),
    *batches() {
      for (let from = 0; from < samples; from += batchSize) {
        const n = Math.min(batchSize, samples - from);
        const y = Float32Array.from({ length: n }, (_, i) => label(from + i));
        yield {
          x: { data: points.slice(2 * from, 2 * (from + n)), shape: [n, 2] },
          y: { data: y, shape: [n] },
        };
      }
    },
  };
}

/** A small classifier for points of the plane, with `extra` layers before the last. */
export function classifier(extra: (names: NameScope) => Layer[] = () => []): Model {
  const names = new NameScope();
  return new Sequential({
    names,
    layers: [
      input({ shape: [2], names }),
      new Dense({ units: 16, activation: 'tanh', names }),
      ...extra(names),
      new Dense({ units: 1, activation: 'sigmoid', names }),
    ],
  });
}

/** How the rings are learnt. */
export const binary = { loss: 'binaryCrossentropy', metrics: ['accuracy'] } as const;
