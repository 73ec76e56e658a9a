import { checkGlobalHeap } from './hdf5-global-heap.ts';
import { checkRange } from './source.ts';
import type { ByteSource } from './source.ts';

/** The HDF5 library as h5wasm compiles it: the functions of its `hdf5_util.cc`. */
export type Hdf5Module = Awaited<(typeof import('h5wasm'))['ready']>;

/** What is used of Emscripten's in-memory file system, which h5wasm's types leave out. */
interface FileNode {
  stream_ops: { llseek: unknown; read?: FileRead };
}
type FileRead = (
  stream: unknown,
  heap: Int8Array,
  heapOffset: number,
  length: number,
  position: number,
) => number;
interface FileSystem {
  mkdirTree(path: string): void;
  writeFile(path: string, data: Uint8Array): void;
  lookupPath(path: string): { node: FileNode };
  unlink(path: string): void;
}

const FOLDER = '/convbase';
/** Far more reads than the largest model needs in one call: a damaged file must not send the library in circles. */
const MAX_READS_PER_CALL = 200_000;

let loading: Promise<Hdf5Module> | undefined;
let filesOpened = 0;

/**
 * Loads the library once, on first use (it is 4 MB of WebAssembly).
 *
 * The browser build serves Node too: its file system is memory only, so that a link in a hostile file leads nowhere.
 */
export function loadHdf5(): Promise<Hdf5Module> {
  loading ??= import('h5wasm').then(async ({ ready }) => {
    const library = await ready;
    (library as unknown as { activate_throwing_error_handler(): void }).activate_throwing_error_handler();
    return library;
  });
  return loading;
}

/** A file in the library's file system whose bytes stay where they are. */
export interface VirtualFile {
  readonly path: string;
  /** Starts the count of reads that bounds one call into the library. */
  beginCall(): void;
  remove(): void;
}

/** Shows a source to the library as a file, read range by range without a copy of the whole. */
export function createVirtualFile(library: Hdf5Module, source: ByteSource): VirtualFile {
  const files = library.FS as unknown as FileSystem;
  const path = `${FOLDER}/${filesOpened++}.h5`;
  let reads = 0;
  files.mkdirTree(FOLDER);
  files.writeFile(path, new Uint8Array(0));
  const { node } = files.lookupPath(path);
  // The file system asks a node for its length under this name.
  Object.defineProperty(node, 'usedBytes', { get: () => source.size });
  const read: FileRead = (_stream, heap, heapOffset, length, position) => {
    if (position >= source.size) return 0;
    if (++reads > MAX_READS_PER_CALL) throw new Error('the library reads in circles');
    const count = Math.min(length, source.size - position);
    checkRange(source, position, count);
    const target = new Uint8Array(heap.buffer, heap.byteOffset + heapOffset, count);
    source.readInto(target, position);
    checkGlobalHeap(target, position, source);
    return count;
  };
  // Only these two: the library cannot write to the file.
  node.stream_ops = { llseek: node.stream_ops.llseek, read };
  return { path, beginCall: () => void (reads = 0), remove: () => files.unlink(path) };
}
