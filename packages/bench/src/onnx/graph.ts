import { encodeModel, FLOAT, INT64, type Message } from './messages.ts';

/** Kinds of attributes, as ONNX numbers them. */
const attributeTypes = { f: 1, i: 2, ints: 7 } as const;

/** An attribute of a node: whole numbers, or `{ f }` for one that is not whole. */
export type Attribute = number | readonly number[] | { readonly f: number };

/** The opset whose operators are meant. */
const OPSET = 17;
/** The version of the file format that came with it. */
const IR_VERSION = 8;

/** An ONNX graph in the making. Values are referred to by name. */
export class OnnxGraph {
  readonly #nodes: Message[] = [];
  readonly #initializers: Message[] = [];
  readonly #inputs: Message[] = [];
  readonly #outputs: Message[] = [];

  /** An input of floats; `N` is a dimension that is known only at run time. */
  input(name: string, shape: readonly (number | string)[]): string {
    this.#inputs.push(valueInfo(name, shape));
    return name;
  }

  output(name: string, shape: readonly (number | string)[]): void {
    this.#outputs.push(valueInfo(name, shape));
  }

  /** A tensor that lies in the file. */
  constant(name: string, dims: readonly number[], values: Float32Array | BigInt64Array): string {
    this.#initializers.push({
      name,
      dims,
      dataType: values instanceof Float32Array ? FLOAT : INT64,
      rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    });
    return name;
  }

  /** Adds a node of one output, which is called like the node. */
  node(
    opType: string,
    name: string,
    input: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    const attribute = Object.entries(attributes).map(([key, value]) => attributeMessage(key, value));
    this.#nodes.push({ opType, name, input, output: [name], attribute });
    return name;
  }

  /** The bytes of the model's file. */
  bytes(): Uint8Array<ArrayBuffer> {
    return encodeModel({
      irVersion: IR_VERSION,
      producerName: 'convbase-bench',
      opsetImport: [{ domain: '', version: OPSET }],
      graph: {
        name: 'graph',
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: this.#outputs,
      },
    });
  }
}

function attributeMessage(name: string, value: Attribute): Message {
  if (typeof value === 'number') return { name, i: value, type: attributeTypes.i };
  if ('f' in value) return { name, f: value.f, type: attributeTypes.f };
  return { name, ints: value, type: attributeTypes.ints };
}

function valueInfo(name: string, shape: readonly (number | string)[]): Message {
  const dim = shape.map((extent) =>
    typeof extent === 'number' ? { dimValue: extent } : { dimParam: extent },
  );
  return { name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } };
}
