import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  BinaryCrossentropy,
  CategoricalCrossentropy,
  Conv2D,
  Dense,
  Flatten,
  input,
  MeanSquaredError,
  optimizerFromConfig,
  Sequential,
  SparseCategoricalCrossentropy,
  type Dataset,
  type HostArray,
  type Layer,
  type Loss,
  type RegularizerLike,
} from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { relativeError } from '../testing/numbers.ts';

interface Numbers {
  readonly shape: number[];
  readonly data: number[];
}

interface LayerConfig {
  readonly name: string;
  readonly units: number;
  readonly filters: number;
  readonly kernel_size: number;
  readonly activation: string;
  readonly trainable?: boolean;
  readonly kernel_regularizer?: RegularizerLike;
  readonly bias_regularizer?: RegularizerLike;
}

/** A training by Keras; see fixtures/training/make_training.py. */
interface Case {
  readonly name: string;
  readonly layers: readonly { readonly class_name: string; readonly config: LayerConfig }[];
  readonly loss: keyof typeof losses;
  readonly smoothing?: number;
  readonly class_weight?: Record<number, number>;
  readonly sample_weight?: readonly number[];
  readonly optimizer: { readonly class_name: string; readonly config: Record<string, unknown> };
  readonly x: Numbers;
  readonly y: Numbers;
  readonly before: Readonly<Record<string, Numbers>>;
  readonly history: Readonly<Record<string, number[]>>;
  readonly after: Readonly<Record<string, number[]>>;
}

const losses = {
  BinaryCrossentropy: (labelSmoothing: number): Loss => new BinaryCrossentropy({ labelSmoothing }),
  CategoricalCrossentropy: (labelSmoothing: number): Loss => new CategoricalCrossentropy({ labelSmoothing }),
  SparseCategoricalCrossentropy: (): Loss => new SparseCategoricalCrossentropy(),
  MeanSquaredError: (): Loss => new MeanSquaredError(),
};

function layer({ class_name: className, config }: Case['layers'][number]): Layer {
  const { name, activation } = config;
  const shared = {
    name,
    activation,
    trainable: config.trainable ?? true,
    kernelRegularizer: config.kernel_regularizer ?? null,
    biasRegularizer: config.bias_regularizer ?? null,
  };
  if (className === 'Flatten') return new Flatten({ name });
  if (className === 'Dense') return new Dense({ ...shared, units: config.units });
  return new Conv2D({ ...shared, filters: config.filters, kernelSize: config.kernel_size });
}

/** Batches of 4 samples in their order. */
function inOrder({ x, y, sample_weight: weights }: Case): Dataset {
  const rows = ({ shape, data }: Numbers, from: number, count: number): HostArray => {
    const size = data.length / (shape[0] ?? 1);
    const part = Float32Array.from(data.slice(from * size, (from + count) * size));
    return { data: part, shape: [count, ...shape.slice(1)] };
  };
  const samples = x.shape[0] ?? 0;
  return {
    *batches() {
      for (let from = 0; from < samples; from += 4) {
        const count = Math.min(4, samples - from);
        const sampleWeight =
          weights === undefined
            ? {}
            : { sampleWeight: rows({ shape: [samples], data: [...weights] }, from, count) };
        yield { x: rows(x, from, count), y: rows(y, from, count), ...sampleWeight };
      }
    },
  };
}

const file = new URL('../../fixtures/training/training.json', import.meta.url);
const cases = JSON.parse(readFileSync(file, 'utf8')) as Case[];

describe('fit does what Keras does', () => {
  const gpu = withGpu();

  it.each(cases.map((each) => [each.name, each] as const))('%s', async (_name, each) => {
    const model = new Sequential({
      name: 'model',
      layers: [input({ shape: each.x.shape.slice(1) }), ...each.layers.map(layer)],
    }).to(gpu());
    for (const weight of model.weights) {
      weight.assign(Float32Array.from(each.before[weight.path]?.data ?? []));
    }
    const { class_name: className, config } = each.optimizer;
    model.compile({
      optimizer: optimizerFromConfig(className, config),
      loss: losses[each.loss](each.smoothing ?? 0),
      metrics: 'accuracy' in each.history ? ['accuracy'] : [],
    });
    const { history } = await model.fit(inOrder(each), {
      epochs: 3,
      validationData: inOrder(each),
      ...(each.class_weight === undefined ? {} : { classWeight: each.class_weight }),
    });
    expect(Object.keys(history).sort()).toEqual(Object.keys(each.history).sort());
    for (const [key, values] of Object.entries(each.history)) {
      expect(relativeError(history[key] ?? [], values), key).toBeLessThan(1e-5);
    }
    for (const weight of model.weights) {
      const expected = each.after[weight.path] ?? [];
      expect(relativeError(await weight.read(), expected), weight.path).toBeLessThan(1e-5);
    }
    model.dispose();
  });
});
