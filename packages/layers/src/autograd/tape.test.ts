import { describe, expect, it } from 'vitest';
import * as ops from '../ops/index.ts';
import { sizeOf } from '../tensor/shape.ts';
import { tensor, type Tensor } from '../tensor/tensor.ts';
import { withGpu } from '../testing/gpu.ts';
import { randoms, relativeError } from '../testing/numbers.ts';
import { Tape } from './tape.ts';

type Shape = readonly number[];
type Graph = (inputs: Tensor[], tape: Tape | null) => Tensor;

/** Half the distance of a finite difference. Its error is of the order of the square of this. */
const h = 1e-2;

/**
 * Numbers that keep away from zero and from each other by more than `h`, so that no relu and no maximum changes
 * its mind within a finite difference.
 */
function distinct(length: number, seed: number): Float32Array {
  const order = [...randoms(length, seed).entries()].sort(([, a], [, b]) => a - b);
  const values = new Float32Array(length);
  order.forEach(
    ([index], rank) => (values[index] = (rank - (length - 1) / 2 + 0.25) * Math.max(4 * h, 2 / length)),
  );
  return values;
}

describe('gradients agree with finite differences', () => {
  const gpu = withGpu();

  const cases: [string, Shape[], Graph][] = [
    ['conv2d', [[2, 5, 4, 3], [3, 2, 3, 4], [4]], ([x, k, b], tape) => conv(x, k, b, tape, false)],
    ['conv2d with relu', [[1, 4, 4, 2], [3, 3, 2, 3], [3]], ([x, k, b], tape) => conv(x, k, b, tape, true)],
    ['dense', [[3, 2, 5], [5, 4], [4]], ([x, k, b], tape) => ops.dense(need(x), need(k), need(b), {}, tape)],
    [
      'dense with relu, no bias',
      [
        [3, 5],
        [5, 4],
      ],
      ([x, k], tape) => ops.dense(need(x), need(k), null, { relu: true }, tape),
    ],
    ['relu', [[3, 7]], ([x], tape) => ops.activation('relu', need(x), tape)],
    ['sigmoid', [[3, 7]], ([x], tape) => ops.activation('sigmoid', need(x), tape)],
    ['tanh', [[3, 7]], ([x], tape) => ops.activation('tanh', need(x), tape)],
    ['softmax', [[3, 5]], ([x], tape) => ops.softmax(need(x), tape)],
    [
      'max pooling',
      [[1, 5, 5, 2]],
      ([x], tape) => ops.maxPool2d(need(x), { pool: [3, 2], strides: [2, 1], padding: 'same' }, tape),
    ],
    [
      'average pooling',
      [[1, 5, 5, 2]],
      ([x], tape) => ops.averagePool2d(need(x), { pool: [3, 3], strides: [2, 2], padding: 'same' }, tape),
    ],
    ['some channels', [[2, 3, 4]], ([x], tape) => ops.channelRange(need(x), 1, 2, tape)],
    ['channels in another order', [[2, 3, 4]], ([x], tape) => ops.channelsAt(need(x), [3, 0], tape)],
    [
      'factors and offsets',
      [[5, 3]],
      ([x], tape) => {
        const affine = { factors: Float32Array.of(2, -1, 0.5), offsets: Float32Array.of(0, 1, 2) };
        return ops.channelAffine(need(x), affine, tape);
      },
    ],
    ['global average pooling', [[2, 3, 4, 3]], ([x], tape) => ops.globalAveragePool2d(need(x), tape)],
    [
      'zero padding',
      [[1, 3, 2, 2]],
      ([x], tape) => ops.zeroPad2d(need(x), { top: 1, bottom: 2, left: 0, right: 1 }, tape),
    ],
    [
      'concat',
      [
        [2, 2, 3],
        [2, 2, 1],
        [2, 2, 4],
      ],
      (inputs, tape) => ops.concat(inputs, tape),
    ],
    [
      'add',
      [
        [3, 4],
        [3, 4],
      ],
      ([a, b], tape) => ops.add(need(a), need(b), tape),
    ],
    ['add of a tensor to itself', [[3, 4]], ([a], tape) => ops.add(need(a), need(a), tape)],
    [
      'multiply',
      [
        [3, 4],
        [3, 4],
      ],
      ([a, b], tape) => ops.multiply(need(a), need(b), tape),
    ],
    [
      'scale and shift',
      [[3, 4]],
      ([a], tape) => through(ops.scale(need(a), -2.5, tape), (y) => ops.shift(y, 3, tape)),
    ],
    ['reshape', [[3, 4]], ([a], tape) => ops.reshape(need(a), [2, 6], tape)],
    ['dropout', [[8, 8]], ([a], tape) => ops.dropout(need(a), { rate: 0.4, seed: 7, offset: 5 }, tape)],
    [
      'batch norm, batch statistics',
      [[3, 4, 3], [3], [3]],
      ([x, g, b], tape) => normalBatch(x, g, b, tape, false),
    ],
    ['batch norm with relu', [[3, 4, 3], [3], [3]], ([x, g, b], tape) => normalBatch(x, g, b, tape, true)],
    ['batch norm, no gamma', [[5, 3], [3]], ([x, b], tape) => normalBatch(x, undefined, b, tape, false)],
    [
      'batch norm, moving statistics',
      [[3, 4, 3], [3], [3]],
      ([x, g, b], tape) => normalMoving(x, g, b, tape),
    ],
    ['a diamond', [[2, 6]], ([x], tape) => diamond(need(x), tape)],
  ];

  for (const [name, shapes, graph] of cases) {
    it(name, async () => {
      const values = shapes.map((shape, i) => distinct(sizeOf(shape), i + 3));
      const tape = new Tape();
      const inputs = shapes.map((shape, i) => tensor(gpu(), values[i] ?? new Float32Array(), shape));
      for (const input of inputs) tape.watch(input);
      const y = graph(inputs, tape);
      const weights = randoms(y.size, 11);
      const gradients = tape.gradients(y, tensor(gpu(), weights, y.shape));
      y.dispose();

      const objective = async (): Promise<number> => {
        const tensors = shapes.map((shape, i) => tensor(gpu(), values[i] ?? new Float32Array(), shape));
        const output = graph(tensors, null);
        const data = await output.data();
        for (const value of [output, ...tensors]) value.dispose();
        return data.reduce((sum, value, i) => sum + value * (weights[i] ?? 0), 0);
      };
      for (const [index, input] of inputs.entries()) {
        const analytic = await need(gradients.get(input)).data();
        const array = need(values[index]);
        const numeric = new Float32Array(array.length);
        for (let i = 0; i < array.length; i++) {
          const original = array[i] ?? 0;
          array[i] = original + h;
          const above = await objective();
          array[i] = original - h;
          numeric[i] = (above - (await objective())) / (2 * h);
          array[i] = original;
        }
        // h^2 from the difference, and float32's 1e-7 divided by h.
        expect(relativeError(analytic, numeric), `input ${index}`).toBeLessThan(2e-3);
      }
      for (const gradient of gradients.values()) gradient.dispose();
      for (const input of inputs) input.dispose();
    });
  }

  function conv(x?: Tensor, k?: Tensor, b?: Tensor, tape: Tape | null = null, relu = false): Tensor {
    const options = { strides: [2, 1], padding: 'same', dilations: [1, 1], relu } as const;
    return ops.conv2d(need(x), need(k), need(b), options, tape);
  }

  function normalBatch(
    x?: Tensor,
    gamma?: Tensor,
    beta?: Tensor,
    tape: Tape | null = null,
    relu = false,
  ): Tensor {
    const statistics = ops.batchStatistics(need(x));
    const affine = { gamma: gamma ?? null, beta: beta ?? null };
    const y = ops.batchNorm(need(x), statistics, affine, 'batch', { epsilon: 1e-3, relu }, tape);
    statistics.mean.dispose();
    statistics.variance.dispose();
    return y;
  }

  function normalMoving(x?: Tensor, gamma?: Tensor, beta?: Tensor, tape: Tape | null = null): Tensor {
    const mean = tensor(gpu(), randoms(3), [3]);
    const variance = ops.fill(gpu(), [3], 0.5, 'variance');
    const affine = { gamma: gamma ?? null, beta: beta ?? null };
    const y = ops.batchNorm(need(x), { mean, variance }, affine, 'moving', { epsilon: 1e-3 }, tape);
    mean.dispose();
    variance.dispose();
    return y;
  }

  /** x goes two ways that meet again: tanh(x) * (x + x) + x. */
  function diamond(x: Tensor, tape: Tape | null): Tensor {
    const a = ops.activation('tanh', x, tape);
    const b = ops.add(x, x, tape);
    const c = ops.multiply(a, b, tape);
    const y = ops.add(c, x, tape);
    for (const value of [a, b, c]) value.dispose();
    return y;
  }
});

describe('the tape', () => {
  const gpu = withGpu({ backend: 'null' });

  it('records nothing in front of what is watched', () => {
    const tape = new Tape();
    const x = tensor(gpu(), new Float32Array(4), [2, 2]);
    const w = tensor(gpu(), new Float32Array(4), [2, 2]);
    const frozen = ops.activation('relu', x, tape);
    expect(tape.length).toBe(0);
    tape.watch(w);
    const y = ops.dense(frozen, w, null, {}, tape);
    expect(tape.length).toBe(1);
    const gradients = tape.gradients(y, ops.fill(gpu(), [2, 2], 1, 'dy'));
    expect([...gradients.keys()]).toEqual([w]);
    for (const value of [...gradients.values(), x, w, frozen, y]) value.dispose();
  });

  it('keeps what the gradient needs when its owner lets go, and frees it with the walk', () => {
    const tape = new Tape();
    const x = tensor(gpu(), new Float32Array(4), [4]);
    tape.watch(x);
    const y = ops.activation('tanh', x, tape);
    const z = ops.activation('tanh', y, tape);
    y.dispose();
    z.dispose();
    expect(gpu().memory().liveBuffers).toBe(3);
    const gradients = tape.gradients(z, ops.fill(gpu(), [4], 1, 'dz'));
    expect(gpu().memory().liveBuffers).toBe(2); // x and its gradient
    for (const value of gradients.values()) value.dispose();
    x.dispose();
  });

  it('gives no gradient to what the output does not depend on', () => {
    const tape = new Tape();
    const x = tensor(gpu(), new Float32Array(4), [4]);
    tape.watch(x);
    const aside = ops.activation('relu', x, tape);
    const other = tensor(gpu(), new Float32Array(4), [4]);
    tape.watch(other);
    const y = ops.activation('relu', other, tape);
    const gradients = tape.gradients(y, ops.fill(gpu(), [4], 1, 'dy'));
    expect([...gradients.keys()]).toEqual([other]);
    for (const value of [...gradients.values(), x, aside, other, y]) value.dispose();
  });

  it('frees everything when a step is given up', () => {
    const tape = new Tape();
    const x = tensor(gpu(), new Float32Array(4), [4]);
    tape.watch(x);
    ops.activation('tanh', x, tape).dispose();
    x.dispose();
    expect(gpu().memory().liveBuffers).toBe(1);
    tape.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it('frees everything when a step of the walk fails', () => {
    const tape = new Tape();
    const x = tensor(gpu(), new Float32Array(4), [4]);
    tape.watch(x);
    const broken = ops.reshape(x, [2, 2]);
    tape.record([x], broken, [x], () => {
      throw new Error('too large');
    });
    const y = ops.activation('tanh', broken, tape);
    for (const value of [x, broken, y]) value.dispose();
    expect(() => tape.gradients(y, ops.fill(gpu(), [2, 2], 1, 'dy'))).toThrow('too large');
    expect(gpu().memory().liveBuffers).toBe(0);
  });
});

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('missing');
  return value;
}

function through(x: Tensor, next: (x: Tensor) => Tensor): Tensor {
  const y = next(x);
  x.dispose();
  return y;
}
