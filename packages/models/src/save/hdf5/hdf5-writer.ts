import {
  attributeMessage,
  datasetMessages,
  groupMessages,
  linkMessage,
  objectHeader,
  SUPERBLOCK_BYTES,
  superblock,
  type Message,
} from './messages.ts';

/** A dataset of float32 whose values are asked for when it is their turn to be written. */
export interface Hdf5Values {
  readonly shape: readonly number[];
  read(): Promise<Float32Array>;
}

export interface Hdf5Group {
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>;
  readonly members: ReadonlyMap<string, Hdf5Group | Hdf5Values>;
}

/** An object with its place in the file. */
interface Placed {
  readonly node: Hdf5Group | Hdf5Values;
  address: number;
  /** Where the values of a dataset start. */
  dataAddress: number;
}

const DATA_ALIGNMENT = 8;

/**
 * Writes an HDF5 file piece by piece: all headers first, then the values of one dataset after the other, so that no
 * more than one of them need be in memory.
 *
 * Sizes are known before the first byte is written; two passes give every object its address and then its header. The
 * layout (superblock 2, links listed in their group's header, contiguous data) is read by HDF5 1.8 and later.
 */
export async function* hdf5File(root: Hdf5Group): AsyncGenerator<Uint8Array> {
  const objects = place(root);
  const datasets = [...objects.values()].filter(({ node }) => isValues(node));
  let end = SUPERBLOCK_BYTES;
  for (const object of objects.values()) {
    object.address = end;
    end += headerOf(object, objects).length;
  }
  const headersEnd = end;
  for (const object of datasets) {
    end = Math.ceil(end / DATA_ALIGNMENT) * DATA_ALIGNMENT;
    object.dataAddress = end;
    if (isValues(object.node)) end += bytesOf(object.node);
  }

  const headers = new Uint8Array(headersEnd);
  headers.set(superblock(objects.get(root)?.address ?? 0, end));
  for (const object of objects.values()) headers.set(headerOf(object, objects), object.address);
  yield headers;
  let written = headersEnd;
  for (const { node, dataAddress } of datasets) {
    if (!isValues(node)) continue;
    if (dataAddress > written) yield new Uint8Array(dataAddress - written);
    const values = await node.read();
    if (4 * values.length !== bytesOf(node)) {
      throw new Error(`${values.length} values for the shape [${node.shape.join(', ')}]`);
    }
    yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    written = dataAddress + values.byteLength;
  }
}

function isValues(node: Hdf5Group | Hdf5Values): node is Hdf5Values {
  return 'read' in node;
}

function bytesOf({ shape }: Hdf5Values): number {
  return 4 * shape.reduce((product, extent) => product * extent, 1);
}

/** Every object once, each before those inside it. */
function place(root: Hdf5Group): Map<Hdf5Group | Hdf5Values, Placed> {
  const objects = new Map<Hdf5Group | Hdf5Values, Placed>();
  const visit = (node: Hdf5Group | Hdf5Values): void => {
    objects.set(node, { node, address: 0, dataAddress: 0 });
    if (!isValues(node)) for (const member of node.members.values()) visit(member);
  };
  visit(root);
  return objects;
}

/** Its length does not depend on the addresses in it. */
function headerOf(
  { node, dataAddress }: Placed,
  objects: ReadonlyMap<Hdf5Group | Hdf5Values, Placed>,
): Uint8Array {
  if (isValues(node)) return objectHeader(datasetMessages(node.shape, dataAddress));
  const links = [...node.members].map(([name, member]): Message => {
    return linkMessage(name, objects.get(member)?.address ?? 0);
  });
  const attributes = Object.entries(node.attributes ?? {}).map(([name, value]) =>
    attributeMessage(name, value),
  );
  return objectHeader([...groupMessages(), ...links, ...attributes]);
}
