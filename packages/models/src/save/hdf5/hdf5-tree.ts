/** A dataset of float32 whose values are asked for when it is their turn to be written. */
export interface Hdf5Values {
  readonly shape: readonly number[];
  read(): Promise<Float32Array>;
}

export interface Hdf5Group {
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>;
  readonly members: ReadonlyMap<string, Hdf5Group | Hdf5Values>;
}

export function isValues(node: Hdf5Group | Hdf5Values): node is Hdf5Values {
  return 'read' in node;
}

/** How many bytes the values take. */
export function bytesOf({ shape }: Hdf5Values): number {
  return 4 * shape.reduce((product, extent) => product * extent, 1);
}

/** @throws Error for values that do not fill the shape */
export async function readBytes(values: Hdf5Values): Promise<Uint8Array> {
  const { buffer, byteOffset, byteLength } = await values.read();
  if (byteLength !== bytesOf(values)) {
    throw new Error(`${byteLength / 4} values for the shape [${values.shape.join(', ')}]`);
  }
  return new Uint8Array(buffer, byteOffset, byteLength);
}
