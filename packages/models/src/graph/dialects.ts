import { ConvbaseError } from '@convbase/base';
import {
  AugmentationLayer,
  GlobalAveragePooling2D,
  GlobalMaxPooling2D,
  type Layer,
  type Operation,
  type Shape,
} from '@convbase/layers';
import { kerasObject, type KerasObject } from './keras-object.ts';
import { operationArguments } from './operation-arguments.ts';

/** One output of one call: the layer's name, the number of the call, the number of the output. */
export type History = readonly [layer: string, call: number, output: number];

/** A tensor that a call takes, and whether it is from a nested model. */
export interface CallInput {
  readonly shape: Shape;
  readonly history: History;
  readonly ofModel: boolean;
}

/** What differs between the configs of one generation of Keras and another. */
export interface Dialect {
  /** The type of every layer's numbers, float32. */
  readonly dtype: unknown;
  /** A layer, initializer or other object by its class. */
  object(object: KerasObject): Record<string, unknown> & { class_name: string };
  /** The config of an input. */
  input(name: string, batchShape: Shape): Record<string, unknown>;
  /** The call of an operation. Undefined for a dialect that has none. */
  operationCall?(inputs: readonly CallInput[], operation: Operation): unknown;
  /** The call of a layer; `asList` for layers that take a list of tensors. */
  call(inputs: readonly CallInput[], asList: boolean): unknown;
  /** A model's inputs or outputs. `ofModel` is the class of the nested model that the tensor is from. */
  ends(tensors: readonly { history: History; ofModel: string | undefined }[]): unknown[];
  /** What stands in for a layer that the reader of this dialect does not have: a class and its options. */
  standIn?(layer: Layer): { readonly className: string; readonly config: object } | undefined;
}

/** What Keras 3 writes to `config.json`. */
export const keras3: Dialect = {
  dtype: kerasObject('keras', 'DTypePolicy', { name: 'float32' }),
  object: (object) => ({ ...object }),
  input: (name, batchShape) => ({
    name,
    batch_shape: batchShape,
    dtype: 'float32',
    sparse: false,
    ragged: false,
  }),
  call: (inputs, asList) => {
    const tensors = inputs.map(kerasTensor);
    return { args: asList ? [tensors] : tensors, kwargs: {} };
  },
  operationCall: (inputs, operation) => ({
    args: operationArguments(operation, inputs.map(kerasTensor)),
    kwargs: {},
  }),
  ends: (tensors) => {
    // Keras made call 0 of a nested functional model when it made the model, and counts it here, but not in calls.
    const list = tensors.map(({ history, ofModel }) => (ofModel === 'Functional' ? next(history) : history));
    const [only] = list;
    return list.length === 1 && only !== undefined ? [...only] : list;
  },
};

function kerasTensor({ shape, history }: CallInput): object {
  return {
    class_name: '__keras_tensor__',
    config: { shape, dtype: 'float32', keras_history: history },
  };
}

/**
 * What Keras 2 wrote and TensorFlow.js reads: objects without their modules, calls as lists, and a nested model's first
 * call is its second, since making it was one. What changes pictures only in training becomes an activation that
 * changes nothing, because TensorFlow.js does not know it.
 */
export const tfjsDialect: Dialect = {
  dtype: 'float32',
  object: ({ class_name: className, config }) => {
    const isRegularizer = className === 'L1' || className === 'L2';
    return {
      class_name: isRegularizer ? 'L1L2' : className,
      config: isRegularizer ? { l1: 0, l2: 0, ...config } : config,
    };
  },
  input: (name, batchShape) => ({
    name,
    batch_input_shape: batchShape,
    dtype: 'float32',
    sparse: false,
    ragged: false,
  }),
  call: (inputs) => inputs.map(({ history, ofModel }) => [...(ofModel ? next(history) : history), {}]),
  ends: (tensors) => tensors.map(({ history, ofModel }) => (ofModel === undefined ? history : next(history))),
  standIn: (layer) => {
    if (layer instanceof AugmentationLayer)
      return { className: 'Activation', config: { activation: 'linear' } };
    if ((layer instanceof GlobalAveragePooling2D || layer instanceof GlobalMaxPooling2D) && layer.keepdims) {
      throw new ConvbaseError(
        'graph/option',
        `TensorFlow.js has no ${layer.className} that keeps dimensions`,
        {
          where: layer.name,
          fix: 'Save the model as .keras, or build it with a Reshape behind the pooling.',
        },
      );
    }
    return undefined;
  },
};

function next([layer, call, output]: History): History {
  return [layer, call + 1, output];
}
