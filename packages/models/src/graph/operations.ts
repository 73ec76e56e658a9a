import { ConvbaseError } from '@convbase/base';
import { Arithmetic, GetItem, Stack, type Constant, type Operation } from '@convbase/layers';
import { z } from 'zod';
import type { KerasLayerConfig } from '../formats/keras-config.ts';
import { kerasTensor, type TensorReference } from './inbound.ts';
import { constantValue } from './constants.ts';
import { lambdaCall } from './op-lambda.ts';

/** An operation as a config describes it: which tensors go in, and how to make it. */
export interface ReadOperation {
  readonly inputs: readonly TensorReference[];
  make(): Operation;
}

/** What stands among the arguments of a call: a tensor of the model, or something else that is no tensor. */
export interface OperationCall {
  /** Keras' class, `Add`. */
  readonly className: string;
  readonly args: readonly unknown[];
  readonly config: Readonly<Record<string, unknown>>;
}

const binary = ['Add', 'Subtract', 'Multiply', 'Divide', 'TrueDivide'] as const;
const names: readonly string[] = [...binary, 'GetItem', 'Stack'];

const operand = z.union([
  kerasTensor.transform((tensor) => ({ tensor, constant: null })),
  constantValue.transform((constant) => ({ tensor: null, constant })),
]);

const part = z.union([
  z.literal('...'),
  z.int(),
  z.looseObject({ class_name: z.literal('__ellipsis__') }).transform(() => '...' as const),
  z
    .looseObject({
      class_name: z.literal('__slice__'),
      config: z.object({ start: z.int().nullable(), stop: z.int().nullable(), step: z.int().nullable() }),
    })
    .transform(({ config }) => config),
]);
const key = z.union([part.transform((only) => [only]), z.array(part).min(1).max(8)]);

const binarySchema = z.tuple([operand, operand]);
const getItemSchema = z.tuple([kerasTensor, key]);
const stackSchema = z.tuple([z.array(kerasTensor).min(1).max(10_000)]);
const axisSchema = z.object({ axis: z.int() });
const callSchema = z.looseObject({
  args: z.array(z.unknown()),
  kwargs: z.record(z.string(), z.unknown()).optional(),
});

/**
 * Reads an operation between layers, as Keras 3 (`GetItem`, `Add` .. of its module `ops`) and Keras 2 (`TFOpLambda`,
 * `SlicingOpLambda`) write them.
 *
 * @throws ConvbaseError `graph/operation` for an operation, or a use of one, that convbase does not have
 */
export function readOperation(layer: KerasLayerConfig, name: string, model: string): ReadOperation {
  const where = `${model}, layer ${name}`;
  const refuse = (what: string, cause?: unknown): never => {
    throw new ConvbaseError('graph/operation', what, {
      where,
      fix: `Between layers there may be ${names.join(', ')} with constants. Build the model in Keras with layers instead.`,
      cause,
    });
  };
  const parsed = <T>(schema: z.ZodType<T>, value: unknown): T => {
    const result = schema.safeParse(value);
    return result.success
      ? result.data
      : refuse(`convbase cannot follow this use of the operation ${layer.class_name}`, result.error);
  };
  const nodes = layer.inbound_nodes ?? [];
  if (nodes.length !== 1) refuse(`the operation is called ${nodes.length} times, not once`);
  const { className, args, config } = lambdaCall(layer) ?? modernCall();

  if (className === 'GetItem') {
    const [tensor, taken] = parsed(getItemSchema, args);
    return { inputs: [tensor], make: () => new GetItem({ name, key: taken }) };
  }
  if (className === 'Stack') {
    const [inputs] = parsed(stackSchema, args);
    const { axis } = parsed(axisSchema, config);
    return { inputs, make: () => new Stack({ name, axis }) };
  }
  const kind = binary.find((known) => known === className);
  if (kind === undefined) return refuse(`convbase has no operation ${className}`);
  const [left, right] = parsed(binarySchema, args);
  const inputs = [left.tensor, right.tensor].filter((tensor) => tensor !== null);
  const operands: [Constant | null, Constant | null] = [left.constant, right.constant];
  return { inputs, make: () => new Arithmetic({ name, kind, operands }) };

  function modernCall(): OperationCall {
    const { args: given, kwargs = {} } = parsed(callSchema, nodes[0]);
    const more = Object.keys(kwargs).filter((argument) => kwargs[argument] !== null);
    if (more.length > 0) refuse(`the operation is called with ${more.join(', ')}`);
    return { className: layer.class_name, args: given, config: layer.config };
  }
}
