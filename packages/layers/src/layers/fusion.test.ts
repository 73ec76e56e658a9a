import { describe, expect, it } from 'vitest';
import {
  Add,
  CallContext,
  Concatenate,
  Conv2D,
  Dense,
  input,
  Model,
  NameScope,
  ops,
  ReLU,
  scope,
  splitFrozen,
  UnaryLayer,
  type Epilogue,
  type Foldable,
  type FollowsAs,
  type Shape,
  type SymbolicTensor,
  type TakesIn,
  type Tensor,
} from '../index.ts';
import { planSteps } from '../model/steps.ts';
import { writeChannels } from '../ops/concat.ts';
import { withGpu } from '../testing/gpu.ts';
import { randoms } from '../testing/numbers.ts';

const names = new NameScope();

/** y = 2 x + 1: a layer that others can multiply into their weights. */
class Stretch extends UnaryLayer implements Foldable {
  constructor() {
    super('Stretch', { names });
  }

  protected outputShape(shape: Shape): Shape {
    return shape;
  }

  protected forward(x: Tensor, { tape }: CallContext): Tensor {
    const twice = ops.scale(x, 2, tape);
    const y = ops.shift(twice, 1, tape);
    twice.dispose();
    return y;
  }

  override followsAs(context: CallContext): FollowsAs | null {
    return context.training ? null : { kind: 'fold', map: this };
  }

  foldInto(
    kernel: Tensor,
    bias: Tensor | null,
    _dtype: unknown,
    { gpu }: CallContext,
  ): { kernel: Tensor; bias: Tensor } {
    const twice =
      bias === null ? ops.fill(gpu, [kernel.shape.at(-1) ?? 0], 0, 'no bias') : ops.scale(bias, 2);
    const folded = { kernel: ops.scale(kernel, 2), bias: ops.shift(twice, 1) };
    twice.dispose();
    return folded;
  }
}

/** y = x / 2, and whatever can be done besides; it notes what was. */
class Halve extends UnaryLayer {
  readonly done: string[] = [];

  constructor() {
    super('Halve', { names });
  }

  protected outputShape(shape: Shape): Shape {
    return shape;
  }

  protected forward(x: Tensor, { tape }: CallContext): Tensor {
    return ops.scale(x, 0.5, tape);
  }

  override takesIn(): TakesIn {
    return { residual: true, relu: true, slot: true };
  }

  override fused(x: Tensor, { gpu, tape }: CallContext, { residual, relu, slot }: Epilogue): Tensor {
    this.done.push([residual && 'sum', relu === true && 'relu', slot && 'slot'].filter(Boolean).join('+'));
    const half = ops.scale(x, 0.5, tape);
    const sum = residual === undefined ? half.share() : ops.add(half, residual, tape);
    const y = relu === true ? ops.activation('relu', sum, tape) : sum.share();
    half.dispose();
    sum.dispose();
    if (slot === undefined) return y;
    const wide = slot.tensor(gpu, x.shape.slice(0, -1), x.dtype);
    writeChannels(y, wide, slot.offset);
    y.dispose();
    return wide;
  }
}

/** Says that it takes in a relu, but not how. */
class Silent extends UnaryLayer {
  constructor() {
    super('Silent', { names });
  }

  protected outputShape(shape: Shape): Shape {
    return shape;
  }

  protected forward(x: Tensor): Tensor {
    return x.share();
  }

  override takesIn(): TakesIn {
    return { relu: true };
  }
}

/** As a layer that subtracts its batch's mean would. */
class Centre extends UnaryLayer {
  constructor() {
    super('Centre', { names });
  }

  protected outputShape(shape: Shape): Shape {
    return shape;
  }

  protected forward(x: Tensor): Tensor {
    return x.share();
  }

  override get usesBatch(): boolean {
    return this.trainable;
  }
}

describe('a layer from outside', () => {
  const gpu = withGpu();
  const shape = [2, 5, 3, 4];

  const modelOf = (make: (x: SymbolicTensor) => SymbolicTensor): Model => {
    const x = input({ shape: shape.slice(1), names });
    return new Model({ inputs: x, outputs: make(x), names });
  };

  async function run(model: Model): Promise<Float32Array> {
    return scope(gpu(), (own) => {
      const x = own.tensor(randoms(2 * 5 * 3 * 4), shape);
      const outputs = model.call([x], new CallContext(gpu()));
      return only(outputs.map((output) => own.own(output))).data();
    });
  }

  /** What the layers compute when each is called by itself. */
  async function runPlainly(model: Model): Promise<Float32Array> {
    return scope(gpu(), (own) => {
      const values = new Map<SymbolicTensor, Tensor>();
      values.set(only(model.inputs), own.tensor(randoms(2 * 5 * 3 * 4), shape));
      const valueOf = (symbolic: SymbolicTensor): Tensor => only([values.get(symbolic)]);
      for (const { layer, inputs, outputs } of model.graph.nodes) {
        if (inputs.length === 0) continue;
        const made = layer.call(inputs.map(valueOf), new CallContext(gpu()));
        values.set(only(outputs), own.own(only(made)));
      }
      return valueOf(only(model.outputs)).data();
    });
  }

  const stepsOf = (model: Model): string[] =>
    planSteps(model.graph, new CallContext(gpu())).map(({ layer }) => layer.className);

  async function expectSame(model: Model): Promise<void> {
    const [fused, plain] = [await run(model), await runPlainly(model)];
    expect(fused.length).toBe(plain.length);
    fused.forEach((value, i) => {
      expect(Math.abs(value - (plain[i] ?? NaN))).toBeLessThan(1e-5);
    });
  }

  it('is multiplied into the convolution in front of it', async () => {
    const model = modelOf((x) => {
      const conv = new Conv2D({ filters: 3, kernelSize: 3, names, biasInitializer: 'ones' }).apply(x);
      return new ReLU({ names }).apply(new Stretch().apply(conv));
    });
    expect(stepsOf(model)).toEqual(['Conv2D']);
    await expectSame(model);
    model.dispose();
  });

  it('takes in a sum and a relu, and writes into its place of a concatenation', async () => {
    const [summing, writing] = [new Halve(), new Halve()];
    const model = modelOf((x) => {
      const sum = new Add({ names }).apply([x, summing.apply(x)]);
      return new Concatenate({ names }).apply([
        new ReLU({ names }).apply(sum),
        new ReLU({ names }).apply(writing.apply(x)),
      ]);
    });
    expect(stepsOf(model)).toEqual(['Halve', 'Halve', 'Concatenate']);
    await expectSame(model);
    expect([summing.done, writing.done]).toEqual([['sum+relu'], ['relu+slot']]);
    model.dispose();
  });

  it('that does not say how it takes in others is told to', async () => {
    const model = modelOf((x) => new ReLU({ names }).apply(new Silent().apply(x)));
    await expect(run(model)).rejects.toMatchObject({ code: 'layer/fusion' });
    model.dispose();
  });

  it('that makes of a sample what depends on its batch is not taken for frozen', () => {
    const x = input({ shape: [4], names });
    const first = new Dense({ units: 4, names, trainable: false }).apply(x);
    const outputs = new Dense({ units: 1, names }).apply(new Centre().apply(first));
    const model = new Model({ inputs: x, outputs, names });
    expect(splitFrozen(model)?.prefix.layers.map(({ className }) => className)).toEqual([
      'InputLayer',
      'Dense',
    ]);
  });
});

function only<T>(list: readonly (T | undefined)[]): T {
  const [value] = list;
  if (value === undefined || list.length !== 1) throw new Error(`one, not ${list.length}`);
  return value;
}
