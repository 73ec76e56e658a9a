import { ConvbaseError } from '@convbase/base';
import { allocate, joinPath } from '../../formats/hdf5.ts';
import { loadHdf5, type Hdf5Library } from '../../formats/hdf5-module.ts';
import { bytesOf, isValues, readBytes, type Hdf5Group, type Hdf5Values } from './hdf5-tree.ts';
import { NOWHERE, PlannedFile } from './planned-file.ts';

/** Smaller datasets go through a buffer of the library; what is larger goes past it, straight into the file. */
const BUFFERED_BYTES = 1 << 16;

const FLOAT32 = { type: 1, size: 4, total_size: 4, signed: true, littleEndian: true, vlen: false };
/** As h5py writes text: UTF-8 of any length. */
const TEXT = { type: 3, size: 4, total_size: 4, signed: false, littleEndian: true, vlen: true, cset: 1 };

/**
 * Writes an HDF5 file piece by piece, through the HDF5 library.
 *
 * The library writes the file while nobody else runs, all but the values of large datasets; these are read and put in
 * their places while the file is given out. So no more than one of them is in memory, and none in the library's.
 *
 * @param name what errors call the file
 * @throws ConvbaseError `file/too-large` for a dataset of 2 GB and more
 */
export async function* hdf5File(root: Hdf5Group, name: string): AsyncGenerator<Uint8Array> {
  const library = await loadHdf5();
  const small = new Map<Hdf5Values, Uint8Array>();
  for (const [path, values] of valuesIn(root, '/')) {
    const bytes = bytesOf(values);
    if (bytes >= NOWHERE) {
      throw new ConvbaseError(
        'file/too-large',
        `${path} has ${bytes} bytes, 2 GB and more cannot be written`,
        {
          where: name,
          fix: 'Save it as .safetensors.',
        },
      );
    }
    if (bytes <= BUFFERED_BYTES) small.set(values, await readBytes(values));
  }
  const plan = new PlannedFile(name);
  const file = library.create(plan);
  const { functions } = library;
  let id: bigint | undefined;
  try {
    file.call(name, () => {
      withClockStopped(() => {
        id = functions.open(file.path, functions.H5F_ACC_TRUNC, false, -1, -1);
        writeGroup(library, id, '/', root, plan, small);
        functions.close_file(id);
        id = undefined;
      });
    });
  } finally {
    file.close(id);
  }
  yield* plan.pieces(readBytes);
}

/**
 * The library writes into every object when it was made, so that files of the same content would differ; this build of it
 * does not export `H5Pset_obj_track_times`, which would turn that off. It takes the time from `Date.now`, and nobody else
 * runs meanwhile.
 */
function withClockStopped(work: () => void): void {
  const clock = Object.getOwnPropertyDescriptor(Date, 'now');
  Object.defineProperty(Date, 'now', { ...clock, value: () => 0 });
  try {
    work();
  } finally {
    Object.defineProperty(Date, 'now', { ...clock });
  }
}

function* valuesIn(group: Hdf5Group, path: string): Generator<readonly [path: string, Hdf5Values]> {
  for (const [name, member] of group.members) {
    const inner = joinPath(path, name);
    if (isValues(member)) yield [inner, member];
    else yield* valuesIn(member, inner);
  }
}

/** Writes what is in a group that exists. */
function writeGroup(
  library: Hdf5Library,
  id: bigint,
  path: string,
  group: Hdf5Group,
  plan: PlannedFile,
  small: ReadonlyMap<Hdf5Values, Uint8Array>,
): void {
  const { functions } = library;
  for (const [name, value] of Object.entries(group.attributes ?? {})) {
    const shape = typeof value === 'string' ? [] : [BigInt(value.length)];
    // The library wants an address even where there is no text to be found.
    const texts = typeof value === 'string' ? [value] : value.length === 0 ? [''] : value;
    functions.create_vlen_str_attribute(id, path, name, texts, { ...TEXT, shape, maxshape: shape });
  }
  for (const [name, member] of group.members) {
    const inner = joinPath(path, name);
    if (isValues(member)) {
      writeValues(library, id, inner, member, plan, small.get(member));
    } else {
      functions.create_group(id, inner);
      writeGroup(library, id, inner, member, plan, small);
    }
  }
}

/** @param bytes the values, unless it is later that they are put in their place */
function writeValues(
  { functions }: Hdf5Library,
  id: bigint,
  path: string,
  values: Hdf5Values,
  plan: PlannedFile,
  bytes: Uint8Array | undefined,
): void {
  const shape = values.shape.map(BigInt);
  const metadata = { ...FLOAT32, shape, maxshape: shape };
  if (bytes === undefined) {
    plan.leaveRoom(values, () => functions.create_dataset(id, path, BigInt(NOWHERE), metadata));
    return;
  }
  const pointer = allocate(functions, Math.max(1, bytes.length));
  try {
    functions.HEAPU8.set(bytes, pointer);
    functions.create_dataset(id, path, BigInt(pointer), metadata);
  } finally {
    functions._free(pointer);
  }
}
