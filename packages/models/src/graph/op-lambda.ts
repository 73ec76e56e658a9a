import type { KerasLayerConfig } from '../formats/keras-config.ts';
import type { OperationCall } from './operations.ts';

/** TensorFlow's functions, as Keras 2 names them, and what their second argument is called. */
const functions: Readonly<Record<string, readonly [className: string, second: string]>> = {
  '__operators__.getitem': ['GetItem', 'slice_spec'],
  '__operators__.add': ['Add', 'y'],
  'math.add': ['Add', 'y'],
  'nn.bias_add': ['Add', 'bias'],
  'math.subtract': ['Subtract', 'y'],
  'math.multiply': ['Multiply', 'y'],
  'math.truediv': ['TrueDivide', 'y'],
  'math.divide': ['Divide', 'y'],
};

const isHistory = (value: unknown): value is [string, number, number] =>
  Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number';

const tensor = ([layer, node, index]: readonly unknown[]): object => ({
  class_name: '__keras_tensor__',
  config: { keras_history: [layer, node, index] },
});

/** What stands in a `slice_spec`: Keras 2 writes slices as bare objects. */
function keyPart(value: unknown): unknown {
  const isSlice = typeof value === 'object' && value !== null && 'start' in value;
  return isSlice ? { class_name: '__slice__', config: value } : value;
}

/**
 * Keras 2's operations between layers in the form of Keras 3's: a `TFOpLambda` or `SlicingOpLambda` names a function of
 * TensorFlow and is called with `['conv', 0, 0, { y: 2, name: null }]`. Undefined for what is none.
 */
export function lambdaCall({
  class_name: className,
  config,
  inbound_nodes: nodes,
}: KerasLayerConfig): OperationCall | undefined {
  if (className !== 'TFOpLambda' && className !== 'SlicingOpLambda') return undefined;
  const name = String(config['function']);
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
  const call = nodes?.[0];
  const first = isHistory(call) ? call : Array.isArray(call) && isHistory(call[0]) ? call[0] : undefined;
  if (known === undefined || first === undefined) return { className: name, args: [], config };
  const more = (first as readonly unknown[])[3];
  const second =
    typeof more === 'object' && more !== null ? (more as Record<string, unknown>)[known[1]] : undefined;
  const args = [
    tensor(first),
    isHistory(second)
      ? tensor(second)
      : known[0] === 'GetItem' && Array.isArray(second)
        ? second.map(keyPart)
        : second,
  ];
  return { className: known[0], args, config };
}
