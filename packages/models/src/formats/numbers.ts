/** Number formats of tensors in files, all little-endian, widened to float32. */

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The bytes as float32: a view where they are aligned, else a copy. */
export function float32From(bytes: Uint8Array): Float32Array {
  const count = bytes.byteLength / 4;
  if (littleEndian && bytes.byteOffset % 4 === 0)
    return new Float32Array(bytes.buffer, bytes.byteOffset, count);
  const copy = bytes.slice();
  if (littleEndian) return new Float32Array(copy.buffer, 0, count);
  const view = new DataView(copy.buffer);
  return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
}

/** IEEE half to float32: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

type Getter = (view: DataView, offset: number) => number;

const getters = {
  float16: [2, (view, offset) => halfToFloat(view.getUint16(offset, true))],
  // A bfloat16 is the upper half of a float32.
  bfloat16: [2, (view, offset) => bfloatToFloat(view.getUint16(offset, true))],
  float32: [4, (view, offset) => view.getFloat32(offset, true)],
  float64: [8, (view, offset) => view.getFloat64(offset, true)],
  uint8: [1, (view, offset) => view.getUint8(offset)],
  int8: [1, (view, offset) => view.getInt8(offset)],
  bool: [1, (view, offset) => (view.getUint8(offset) === 0 ? 0 : 1)],
  uint16: [2, (view, offset) => view.getUint16(offset, true)],
  int16: [2, (view, offset) => view.getInt16(offset, true)],
  uint32: [4, (view, offset) => view.getUint32(offset, true)],
  int32: [4, (view, offset) => view.getInt32(offset, true)],
  uint64: [8, (view, offset) => Number(view.getBigUint64(offset, true))],
  int64: [8, (view, offset) => Number(view.getBigInt64(offset, true))],
} as const satisfies Record<string, readonly [number, Getter]>;

/** The element types a weight can be stored in. */
export type StoredType = keyof typeof getters;

/** Bytes of one element. */
export function bytesPerElement(type: StoredType): number {
  return getters[type][0];
}

/** Stored elements as float32 (a view of `bytes` when they already are and lie aligned). */
export function toFloat32(bytes: Uint8Array, type: StoredType): Float32Array {
  if (type === 'float32') return float32From(bytes);
  const [width, get]: readonly [number, Getter] = getters[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(bytes.byteLength / width);
  for (let i = 0; i < values.length; i++) values[i] = get(view, i * width);
  return values;
}

const bfloatBits = new Uint32Array(1);
const bfloatValue = new Float32Array(bfloatBits.buffer);

function bfloatToFloat(bits: number): number {
  bfloatBits[0] = bits << 16;
  return bfloatValue[0] ?? NaN;
}
