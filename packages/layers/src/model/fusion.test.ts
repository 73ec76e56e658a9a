import type { Plan } from '@convbase/core-gpu';
import { describe, expect, it } from 'vitest';
import {
  Activation,
  Add,
  AveragePooling2D,
  BatchNormalization,
  CallContext,
  Concatenate,
  Conv2D,
  input,
  Model,
  NameScope,
  Tape,
  tensor,
  type SymbolicTensor,
} from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { miniInception } from '../testing/mini-models.ts';
import { randoms } from '../testing/numbers.ts';
import { execute } from './execute.ts';

const names = new NameScope();

/** Convolution, normalisation and, unless told otherwise, relu. */
function unit(x: SymbolicTensor, filters: number, kernelSize: number, relu = true): SymbolicTensor {
  const conv = new Conv2D({ filters, kernelSize, padding: 'same', names }).apply(x);
  const norm = new BatchNormalization({ names }).apply(conv);
  return relu ? new Activation({ activation: 'relu', names }).apply(norm) : norm;
}

const join = (...inputs: SymbolicTensor[]): SymbolicTensor => new Concatenate({ names }).apply(inputs);
const sum = (...inputs: SymbolicTensor[]): SymbolicTensor => new Add({ names }).apply(inputs);
const relu = (x: SymbolicTensor): SymbolicTensor => new Activation({ activation: 'relu', names }).apply(x);

/** What lies behind an input of 9 x 7 pixels with 8 channels. */
const graphs: Record<string, (x: SymbolicTensor) => SymbolicTensor> = {
  // One shortcut through a convolution, one that is the input itself, the sum once in each order.
  residual: (x) => {
    const first = relu(sum(unit(x, 12, 1, false), unit(unit(x, 4, 1), 12, 3, false)));
    return relu(sum(unit(unit(first, 4, 3), 12, 1, false), first));
  },
  // What was joined is joined again with something new, and everything is used twice.
  dense: (x) => {
    const one = join(x, unit(x, 4, 3));
    const two = join(one, unit(one, 4, 3));
    return join(two, unit(two, 4, 3));
  },
  // A concatenation in a concatenation, a branch without a convolution, numbers of channels that are no fours.
  inception: (x) => {
    const pooled = new AveragePooling2D({ poolSize: 3, strides: 1, padding: 'same', names }).apply(x);
    const inner = join(unit(x, 5, 1), unit(unit(x, 4, 1), 7, 3));
    return unit(join(unit(x, 8, 1), inner, pooled, unit(pooled, 3, 1)), 6, 1);
  },
  // The same tensor twice, a convolution with an activation of its own, and a sum that is joined.
  odd: (x) => {
    const conv = new Conv2D({ filters: 4, kernelSize: 1, activation: 'relu', names }).apply(x);
    const smooth = new Conv2D({ filters: 4, kernelSize: 1, activation: 'sigmoid', names }).apply(x);
    const twice = sum(conv, conv);
    return join(conv, twice, smooth, smooth, unit(x, 4, 1), sum(unit(x, 4, 1, false), smooth, conv));
  },
  inMini: (x) => x,
};

describe('convolutions that do what is behind them', () => {
  const gpu = withGpu();

  function build(name: string): { model: Model; shape: readonly number[] } {
    if (name === 'inMini') return { model: miniInception(), shape: [2, 33, 29, 3] };
    const x = input({ shape: [9, 7, 8], names });
    const model = new Model({ inputs: x, outputs: graphs[name]?.(x) ?? x, names });
    return { model, shape: [2, 9, 7, 8] };
  }

  /** The output, and the kernels that ran for it. */
  async function run(
    model: Model,
    shape: readonly number[],
    context: CallContext,
  ): Promise<{ values: Float32Array; kernels: string[] }> {
    const plans: Plan[] = [];
    const stop = gpu().watchPlans((plan) => plans.push(plan));
    const x = tensor(gpu(), randoms(shape.reduce((a, b) => a * b)), shape);
    const [output] = model.call([x], context);
    stop();
    x.dispose();
    if (output === undefined) throw new Error('one output');
    const values = await output.data();
    output.dispose();
    context.tape?.dispose();
    return { values, kernels: plans.map(({ kernel }) => kernel) };
  }

  /** Weights that are not 0 and 1 where layers begin with that. */
  function shake(model: Model): void {
    model.weights.forEach((weight, index) => {
      const values = randoms(weight.size, index + 1);
      weight.assign(
        weight.name === 'moving_variance' ? values.map((v) => 1 + Math.abs(v)) : values.map((v) => v / 4),
      );
    });
  }

  it.each(Object.keys(graphs))('compute the same: %s', async (name) => {
    const { model, shape } = build(name);
    shake(model);
    const all = new Set(model.weights);
    const plain = await run(model, shape, new CallContext(gpu(), false, new Tape(), all));
    const fused = await run(model, shape, new CallContext(gpu()));
    // Where nothing is trained the tape has nothing to remember.
    const frozen = await run(model, shape, new CallContext(gpu(), false, new Tape()));
    expect(frozen.values).toEqual(fused.values);
    const largest = Math.max(...plain.values.map(Math.abs));
    fused.values.forEach((value, i) => {
      expect(Math.abs(value - (plain.values[i] ?? NaN))).toBeLessThan(2e-6 * Math.max(1, largest));
    });
    model.dispose();
  });

  const kernelsOf = async (name: string, wanted: RegExp): Promise<number[]> => {
    const { model, shape } = build(name);
    const plain = await run(model, shape, new CallContext(gpu(), false, new Tape(), new Set(model.weights)));
    const fused = await run(model, shape, new CallContext(gpu()));
    model.dispose();
    return [plain, fused].map(({ kernels }) => kernels.filter((kernel) => wanted.test(kernel)).length);
  };

  it('leave nothing to add and only to join what no convolution made', async () => {
    expect(await kernelsOf('residual', /^add$/)).toEqual([2, 0]);
    // What is joined again has another use, so it is copied.
    expect(await kernelsOf('dense', /^concat/)).toEqual([6, 3]);
    expect(await kernelsOf('inception', /^concat/)).toEqual([6, 1]);
  });

  it('are computed as an override says only where they make the output', async () => {
    const x = input({ shape: [9, 7, 4], names });
    const twice = new Conv2D({ filters: 4, kernelSize: 1, activation: 'relu', names });
    const joined = join(twice.apply(x), unit(x, 4, 1));
    const model = new Model({ inputs: x, outputs: twice.apply(unit(joined, 4, 1)), names });
    shake(model);
    const values = tensor(gpu(), randoms(2 * 9 * 7 * 4), [2, 9, 7, 4]);
    const context = new CallContext(gpu());
    const [output] = model.call([values], context);
    const [logits] = execute(model.graph, [values], context, (layer, [z]) =>
      layer === twice && z !== undefined ? [twice.linear(z, context, {})] : undefined,
    );
    const found = (await logits?.data()) ?? new Float32Array();
    expect(Math.min(...found)).toBeLessThan(0);
    expect(found.map((value) => Math.max(0, value))).toEqual(await output?.data());
    for (const made of [values, logits, output]) made?.dispose();
    model.dispose();
  });
});
