import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** A number or a table of numbers under a tag. */
export interface Summary {
  readonly tag: string;
  /** The plugin of TensorBoard that shows it. */
  readonly plugin: 'scalars' | 'histograms';
  /** Without dimensions a float, with dimensions doubles. */
  readonly values: Float32Array | Float64Array;
  readonly shape: readonly number[];
}

/** `DT_FLOAT` and `DT_DOUBLE` of tensorflow/core/framework/types.proto. */
const DTYPES = { float32: 1, float64: 2 } as const;

/** The first event of each file: `Event { wall_time = 1, file_version = 3, source_metadata = 10 }`. */
export function fileVersionEvent(seconds: number): Uint8Array {
  const event = new BinaryWriter()
    .tag(1, WireType.Bit64)
    .double(seconds)
    .tag(3, WireType.LengthDelimited)
    .string('brain.Event:2');
  message(event, 10, (source) => source.tag(1, WireType.LengthDelimited).string('convbase'));
  return event.finish();
}

/**
 * `Event { wall_time = 1, step = 2, summary = 5 { value = 1 .. } }` of tensorflow/core/util/event.proto.
 *
 * @param seconds when it happened, since 1970
 */
export function summaryEvent(seconds: number, step: number, summary: Summary): Uint8Array {
  const event = new BinaryWriter().tag(1, WireType.Bit64).double(seconds);
  if (step !== 0) event.tag(2, WireType.Varint).int64(step);
  message(event, 5, (outer) => message(outer, 1, (value) => writeValue(value, summary)));
  return event.finish();
}

/** `Summary.Value { tag = 1, tensor = 8, metadata = 9 { plugin_data = 1 { plugin_name = 1 } } }` */
function writeValue(value: BinaryWriter, summary: Summary): void {
  value.tag(1, WireType.LengthDelimited).string(summary.tag);
  message(value, 8, (tensor) => writeTensor(tensor, summary));
  message(value, 9, (metadata) =>
    message(metadata, 1, (plugin) => plugin.tag(1, WireType.LengthDelimited).string(summary.plugin)),
  );
}

/** `TensorProto { dtype = 1, tensor_shape = 2 { dim = 2 { size = 1 } .. }, tensor_content = 4 }`, little endian. */
function writeTensor(tensor: BinaryWriter, { values, shape }: Summary): void {
  tensor.tag(1, WireType.Varint).int32(values instanceof Float32Array ? DTYPES.float32 : DTYPES.float64);
  message(tensor, 2, (dims) => {
    for (const size of shape) message(dims, 2, (dim) => dim.tag(1, WireType.Varint).int64(size));
  });
  tensor
    .tag(4, WireType.LengthDelimited)
    .bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

/** A message within a message: its length, then its fields. */
function message(writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => unknown): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}
