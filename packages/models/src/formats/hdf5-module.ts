import { ConvbaseError } from '@convbase/base';
import { withTimeLimit } from '#platform';
import { malformed } from './checks.ts';
import { checkHeaps } from './hdf5-heaps.ts';
import { hdf5Start } from './sniff.ts';
import { checkRange } from './source.ts';
import type { ByteSource } from './source.ts';

/** The HDF5 library as h5wasm compiles it: the functions of its `hdf5_util.cc`. */
export type Hdf5Module = Awaited<(typeof import('h5wasm'))['ready']>;

/** What is used of Emscripten's in-memory file system, which h5wasm's types leave out. */
interface FileNode {
  stream_ops: { llseek: unknown; read?: FileAccess; write?: FileAccess };
  node_ops: { setattr: (node: unknown, change: { size?: number }) => void };
}
type FileAccess = (
  stream: unknown,
  heap: Int8Array,
  heapOffset: number,
  length: number,
  position: number,
) => number;
interface FileSystem {
  readonly streams: readonly unknown[];
  readonly ErrnoError: new (errno: number) => Error;
  mkdirTree(path: string): void;
  writeFile(path: string, data: Uint8Array): void;
  lookupPath(path: string): { node: FileNode };
  unlink(path: string): void;
  closeStream(descriptor: number): void;
}
interface Emscripten {
  _convbaseCall: () => number;
  ccall(name: string, result: string, types: readonly string[], values: readonly unknown[]): void;
  activate_throwing_error_handler(): void;
}

const FOLDER = '/convbase';
/** Standard input, output and error. */
const OWN_STREAMS = 3;
/** Emscripten's number of an input or output error. */
const EIO = 29;
/** Far more reads than the largest model needs in one call: a damaged file must not send the library in circles. */
const MAX_READS_PER_CALL = 200_000;
/** For looking through a whole file, or 16 MB of chunks. The library can also circle without reading. */
const LIMIT_MILLISECONDS = 10_000;

let loading: Promise<Hdf5Library> | undefined;
let filesOpened = 0;

/**
 * Loads the library once, on first use (it is 4 MB of WebAssembly).
 *
 * The browser build serves Node too: its file system is memory only, so that a link in a hostile file leads nowhere.
 */
export function loadHdf5(): Promise<Hdf5Library> {
  loading ??= import('h5wasm').then(async ({ ready }) => new Hdf5Library(await ready));
  return loading;
}

/**
 * The library, and what keeps a damaged file from harming anything but itself.
 *
 * An exception that leaves the library takes its stack pointer and its handles along, and a crash leaves its memory in
 * any state. So the pointer is put back after every call; and the whole memory to what it was after loading, at once
 * after a crash and otherwise whenever no file is open.
 */
export class Hdf5Library {
  readonly functions: Hdf5Module;
  readonly #firstMemory: Uint8Array;
  readonly #files: FileSystem;
  #openFiles = 0;
  #crashes = 0;

  constructor(functions: Hdf5Module) {
    this.functions = functions;
    this.#files = functions.FS as unknown as FileSystem;
    this.#files.mkdirTree(FOLDER);
    (functions as unknown as Emscripten).activate_throwing_error_handler();
    this.#firstMemory = functions.HEAPU8.slice();
  }

  /** Shows a source to the library as a file, read range by range without a copy of the whole. */
  open(source: ByteSource): VirtualFile {
    const start = hdf5Start(source) ?? 0;
    return this.#show({
      name: source.name,
      size: source.size,
      read: (target, position) => {
        checkRange(source, position, target.length);
        source.readInto(target, position);
        checkHeaps(target, position, source, start);
      },
    });
  }

  /** Shows the library an empty file, and lets `file` have what is written there. */
  create(file: WrittenFile): VirtualFile {
    return this.#show(file);
  }

  #show(content: FileContent | WrittenFile): VirtualFile {
    this.#openFiles++;
    const files = this.#files;
    const path = `${FOLDER}/${filesOpened++}.h5`;
    const crashes = this.#crashes;
    let reads = 0;
    let problem: unknown;
    files.writeFile(path, new Uint8Array(0));
    const { node } = files.lookupPath(path);
    // The file system asks a node for its length under this name.
    Object.defineProperty(node, 'usedBytes', { get: () => content.size });
    const attempt = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        // Told to the library as a failed access, so that it gives up in good order, and to the caller by `call`.
        problem ??= error;
        throw new files.ErrnoError(EIO);
      }
    };
    const read: FileAccess = (_stream, heap, heapOffset, length, position) => {
      const count = Math.max(0, Math.min(length, content.size - position));
      if (count === 0) return 0;
      attempt(() => {
        if (++reads > MAX_READS_PER_CALL)
          throw malformed(content.name, 'the HDF5 library reads it in circles');
        content.read(new Uint8Array(heap.buffer, heap.byteOffset + heapOffset, count), position);
      });
      return count;
    };
    const { llseek } = node.stream_ops;
    if ('write' in content) {
      const write: FileAccess = (_stream, heap, heapOffset, length, position) => {
        attempt(() => {
          content.write(heap, heapOffset, length, position);
        });
        return length;
      };
      const setattr: FileNode['node_ops']['setattr'] = (_node, { size }) => {
        if (size !== undefined) content.size = size;
      };
      node.stream_ops = { llseek, read, write };
      node.node_ops = { ...node.node_ops, setattr };
    } else {
      // Only these two: the library cannot write to the file.
      node.stream_ops = { llseek, read };
    }
    return {
      path,
      limited: (where, work) =>
        this.#result(
          where,
          this.#run(() => withTimeLimit(LIMIT_MILLISECONDS, work)),
        ),
      call: (where, work) => {
        if (crashes !== this.#crashes) {
          throw new ConvbaseError('file/closed', 'another file, a damaged one, crashed the HDF5 library', {
            where,
            fix: 'Open it again.',
          });
        }
        reads = 0;
        problem = undefined;
        const outcome = this.#run(work);
        if (problem instanceof Error) throw problem;
        if ('value' in outcome || outcome.error instanceof ConvbaseError) return this.#result(where, outcome);
        if (isCrash(outcome.error)) this.#crashed();
        if ('write' in content) throw outcome.error;
        throw malformed(where, 'the HDF5 library cannot read it', outcome.error);
      },
      close: (id) => {
        // That closing fails is no harm: the file was only read, or is given up, and the library is renewed below.
        if (crashes === this.#crashes && id !== undefined) {
          this.#run(() => withTimeLimit(LIMIT_MILLISECONDS, () => this.functions.close_file(id)));
        }
        files.unlink(path);
        if (--this.#openFiles === 0) this.#renew();
      },
    };
  }

  /** Runs something that calls the library, or calls this again. */
  #run<T>(work: () => T): Outcome<T> {
    const functions = this.functions as unknown as Emscripten;
    let outcome: Outcome<T> = { error: new Error('it was not called') };
    functions._convbaseCall = () => {
      try {
        outcome = { value: work() };
      } catch (error) {
        outcome = { error };
      }
      return 0;
    };
    // An argument that needs room on the stack makes Emscripten put the stack pointer back behind the call.
    functions.ccall('convbaseCall', 'number', ['array'], [new Uint8Array(0)]);
    return outcome;
  }

  #result<T>(where: string, outcome: Outcome<T>): T {
    if ('value' in outcome) return outcome.value;
    if (!(outcome.error instanceof ConvbaseError) || outcome.error.code !== 'time/limit') throw outcome.error;
    this.#crashed();
    throw malformed(where, 'the HDF5 library comes to no end with it', outcome.error);
  }

  #crashed(): void {
    this.#crashes++;
    this.#renew();
  }

  #renew(): void {
    const { streams } = this.#files;
    for (let i = OWN_STREAMS; i < streams.length; i++) if (streams[i]) this.#files.closeStream(i);
    this.functions.HEAPU8.set(this.#firstMemory);
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** The library reports what it does not like as plain errors; traps and overflows are others. */
function isCrash(error: unknown): boolean {
  return !(error instanceof Error && Object.getPrototypeOf(error) === Error.prototype);
}

/** What lies behind a file that the library reads. What its functions throw reaches the caller of `call`. */
interface FileContent {
  readonly name: string;
  readonly size: number;
  /** Fills `target` with the bytes from `position` on; never asked for any beyond `size`. */
  read(target: Uint8Array, position: number): void;
}

/** What lies behind a file that the library writes. */
export interface WrittenFile extends FileContent {
  /** Also set by the library, which cuts and extends. */
  size: number;
  /** Takes `length` bytes that lie at `address` in the library's memory. */
  write(memory: Int8Array, address: number, length: number, position: number): void;
}

/** A file in the library's file system whose bytes stay where they are. */
export interface VirtualFile {
  readonly path: string;
  /**
   * Runs library code, bounded in what it reads.
   *
   * @throws ConvbaseError `file/malformed` naming `where`, whatever goes wrong inside the library (for a file that is
   * written, the library's own error); `file/closed` if the library crashed over another file in the meantime; what
   * reading the source throws
   */
  call<T>(where: string, work: () => T): T;
  /** Runs what makes such calls under a time limit (in Node), which is too dear for each of them. */
  limited<T>(where: string, work: () => T): T;
  /** Takes the file away; `id` is the library's handle of it, if it is still open. */
  close(id?: bigint): void;
}
