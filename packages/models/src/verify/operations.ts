import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import {
  BinaryCrossentropy,
  CategoricalCrossentropy,
  Tape,
  ops,
  scope,
  type Loss,
  type Scope,
  type Tensor,
} from '@convbase/layers';
import { z } from 'zod';
import { parseParameters, type GoldenCase, type GoldenTensor } from './golden-file.ts';
import type { ComputedTensor } from './judge.ts';

/** What an operation's case is computed from. */
interface Given {
  readonly gpu: Gpu;
  readonly parameters: GoldenCase;
  /** The input of this role, on the GPU until the case is over. */
  readonly input: (role: string) => Tensor;
  readonly optional: (role: string) => Tensor | null;
  readonly tape: Tape;
  readonly own: Scope['own'];
}

/** What comes out, by role. A tensor named in `y` gets its gradients computed from `dy`. */
type Outputs = Readonly<Record<string, Tensor>>;

interface Operation {
  /** The roles that are given; every other tensor of a case is expected to be computed. */
  readonly inputs: readonly string[];
  /** Inputs with a gradient, which is called `d<role>`. */
  readonly differentiable: readonly string[];
  readonly run: (given: Given) => Outputs;
}

const pairSchema = z.union([
  z
    .int()
    .positive()
    .transform((size): [number, number] => [size, size]),
  z.tuple([z.int().positive(), z.int().positive()]),
]);

const paddingSchema = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['same', 'valid']))
  .default('valid');

/** A parameter that different versions of a file call differently. */
function pairOf(parameters: GoldenCase, ...names: readonly string[]): [number, number] | undefined {
  const value = names.map((name) => parameters[name]).find((given) => given !== undefined && given !== null);
  return value === undefined
    ? undefined
    : parseParameters(pairSchema, value, `${parameters.name}, ${names[0] ?? ''}`);
}

const convolution: Operation = {
  inputs: ['x', 'kernel', 'bias', 'dy'],
  differentiable: ['x', 'kernel', 'bias'],
  run: ({ parameters, input, optional, tape }) => {
    const options = {
      strides: pairOf(parameters, 'strides', 'stride') ?? [1, 1],
      padding: parseParameters(paddingSchema, parameters['padding'], parameters.name),
      dilations: pairOf(parameters, 'dilation', 'dilations', 'dilation_rate') ?? [1, 1],
    } as const;
    return { y: ops.conv2d(input('x'), input('kernel'), optional('bias'), options, tape) };
  },
};

function pooling(pool2d: typeof ops.maxPool2d): Operation {
  return {
    inputs: ['x', 'dy'],
    differentiable: ['x'],
    run: ({ parameters, input, tape }) => {
      const pool = pairOf(parameters, 'pool', 'pool_size') ?? [2, 2];
      const strides = pairOf(parameters, 'strides', 'stride') ?? pool;
      return {
        y: pool2d(
          input('x'),
          { pool, strides, padding: parseParameters(paddingSchema, parameters['padding'], parameters.name) },
          tape,
        ),
      };
    },
  };
}

const elementwise = (apply: (x: Tensor, tape: Tape) => Tensor): Operation => ({
  inputs: ['x', 'dy'],
  differentiable: ['x'],
  run: ({ input, tape }) => ({ y: apply(input('x'), tape) }),
});

const batchNormSchema = z.looseObject({
  mode: z.enum(['training', 'inference']),
  epsilon: z.number().default(1e-3),
  momentum: z.number().default(0.99),
});

const batchNormalization: Operation = {
  inputs: ['x', 'gamma', 'beta', 'moving_mean', 'moving_variance', 'dy'],
  differentiable: ['x', 'gamma', 'beta'],
  run: ({ parameters, input, optional, tape, own }) => {
    const { mode, epsilon, momentum } = parseParameters(batchNormSchema, parameters, parameters.name);
    const x = input('x');
    const affine = { gamma: optional('gamma'), beta: optional('beta') };
    const moving = { mean: input('moving_mean'), variance: input('moving_variance') };
    const after = { new_moving_mean: moving.mean.share(), new_moving_variance: moving.variance.share() };
    if (mode === 'inference')
      return { ...after, y: ops.batchNorm(x, moving, affine, 'moving', { epsilon }, tape) };
    const batch = ops.batchStatistics(x);
    const y = ops.batchNorm(
      x,
      { mean: own(batch.mean), variance: own(batch.variance) },
      affine,
      'batch',
      { epsilon },
      tape,
    );
    ops.updateMoving(moving.mean, batch.mean, momentum);
    ops.updateMoving(moving.variance, batch.variance, momentum);
    return { ...after, y };
  },
};

const fromLogits = z.looseObject({
  from_logits: z.literal(true),
  reduction: z.enum(['mean', 'mean over batch', 'sum_over_batch_size', 'sum', 'none']).nullish(),
});

function crossEntropy(loss: Required<Loss>): Operation {
  return {
    inputs: ['logits', 'labels'],
    differentiable: [],
    run: ({ parameters, input, own }) => {
      const { reduction } = parseParameters(fromLogits, parameters, parameters.name);
      const [logits, labels] = [input('logits'), input('labels')];
      const losses = loss.perSample(logits, labels);
      // That of the mean; without a mean the gradient is that of the sum.
      const gradient = loss.gradient(logits, labels);
      const summed = reduction === 'sum' || reduction === 'none';
      return { loss: losses, dlogits: summed ? ops.scale(own(gradient), losses.size) : gradient };
    },
  };
}

const operations: Readonly<Record<string, Operation>> = {
  conv2d: convolution,
  dense: {
    inputs: ['x', 'kernel', 'bias', 'dy'],
    differentiable: ['x', 'kernel', 'bias'],
    run: ({ input, optional, tape }) => ({
      y: ops.dense(input('x'), input('kernel'), optional('bias'), {}, tape),
    }),
  },
  max_pool: pooling(ops.maxPool2d),
  avg_pool: pooling(ops.averagePool2d),
  global_avg_pool: elementwise(ops.globalAveragePool2d),
  relu: elementwise((x, tape) => ops.activation('relu', x, tape)),
  sigmoid: elementwise((x, tape) => ops.activation('sigmoid', x, tape)),
  tanh: elementwise((x, tape) => ops.activation('tanh', x, tape)),
  softmax: elementwise(ops.softmax),
  batch_norm: batchNormalization,
  categorical_crossentropy: crossEntropy(new CategoricalCrossentropy({ fromLogits: true })),
  binary_crossentropy: crossEntropy(new BinaryCrossentropy({ fromLogits: true })),
};

/** The roles of a case's tensors that are given rather than to be computed. An unknown operation has none. */
export function operationInputs(op: string): readonly string[] {
  return operations[op]?.inputs ?? [];
}

/**
 * Computes an operation and its gradients with the ops that training uses.
 *
 * @param given the tensors of the case by role; those in `operationInputs` are used
 * @returns the outputs by role: `y`, `dx`, `dkernel`, `loss` ..
 * @throws ConvbaseError `verify/operation` for one that convbase does not have
 */
export async function computeOperation(
  gpu: Gpu,
  parameters: GoldenCase,
  given: ReadonlyMap<string, GoldenTensor>,
): Promise<Map<string, ComputedTensor>> {
  const operation = Object.hasOwn(operations, parameters.op) ? operations[parameters.op] : undefined;
  if (operation === undefined) {
    throw new ConvbaseError('verify/operation', `convbase has no operation ${parameters.op}`, {
      where: parameters.name,
      fix: `It has ${Object.keys(operations).join(', ')}.`,
    });
  }
  return scope(gpu, async (own) => {
    const inputs = new Map<string, Tensor>();
    for (const [role, { data, shape }] of given) inputs.set(role, own.tensor(data, shape));
    const input = (role: string): Tensor => {
      const found = inputs.get(role);
      if (found !== undefined) return found;
      throw new ConvbaseError('file/missing-tensor', `it has no tensor ${role}`, { where: parameters.name });
    };
    const tape = new Tape();
    for (const role of operation.differentiable) {
      const leaf = inputs.get(role);
      if (leaf !== undefined) tape.watch(leaf);
    }
    const outputs = new Map(
      Object.entries(
        operation.run({
          gpu,
          parameters,
          input,
          optional: (role) => inputs.get(role) ?? null,
          tape,
          own: (value) => own.own(value),
        }),
      ),
    );
    for (const output of outputs.values()) own.own(output);
    const y = outputs.get('y');
    const dy = inputs.get('dy');
    if (y !== undefined && dy !== undefined) {
      const gradients = tape.gradients(y, dy.share());
      for (const role of operation.differentiable) {
        const gradient = gradients.get(inputs.get(role) ?? y);
        if (gradient !== undefined) outputs.set(`d${role}`, own.own(gradient));
      }
    }
    const computed = new Map<string, ComputedTensor>();
    for (const [role, output] of outputs) {
      const data = await output.data();
      const { shape } = output;
      computed.set(role, role === 'loss' ? reduceLosses(data, parameters['reduction']) : { shape, data });
    }
    return computed;
  });
}

/** Losses come per sample; the file has their mean unless its case says otherwise. */
function reduceLosses(losses: Float32Array, reduction: unknown): ComputedTensor {
  if (reduction === 'none') return { shape: [losses.length], data: losses };
  const sum = losses.reduce((total, loss) => total + loss, 0);
  return { shape: [1], data: Float32Array.of(reduction === 'sum' ? sum : sum / losses.length) };
}
