import { Arithmetic, GetItem, Stack, type Constant, type Operation, type Slice } from '@convbase/layers';

/** The arguments of an operation's call as Keras 3 writes them: its tensors, and between them what is none. */
export function operationArguments(operation: Operation, tensors: readonly object[]): readonly unknown[] {
  if (operation instanceof Stack) return [tensors];
  if (operation instanceof GetItem) return [...tensors, operation.key.map(keyPart)];
  if (operation instanceof Arithmetic) {
    const left = [...tensors];
    return operation.operands.map((constant) => (constant === null ? left.shift() : written(constant)));
  }
  throw new Error(`how to write the operation ${operation.className} is not known`);
}

function keyPart(part: '...' | number | Slice): unknown {
  if (typeof part === 'number') return part;
  return part === '...'
    ? { class_name: '__ellipsis__', config: {} }
    : { class_name: '__slice__', config: part };
}

function written({ shape, values }: Constant): unknown {
  const [only] = values;
  if (shape.length === 0 && only !== undefined) return only;
  const nest = (offset: number, [extent = 1, ...rest]: readonly number[]): unknown => {
    const size = rest.reduce((product, inner) => product * inner, 1);
    return Array.from({ length: extent }, (_, i) =>
      rest.length === 0 ? values[offset + i] : nest(offset + i * size, rest),
    );
  };
  return { class_name: '__tensor__', config: { value: nest(0, shape), dtype: 'float32' } };
}
