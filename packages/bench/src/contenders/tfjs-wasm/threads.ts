import { createRequire, syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Core } from '../tfjs/modules.ts';

const require = createRequire(import.meta.url);

/**
 * Starts TensorFlow.js' wasm backend with threads, which it does not do in Node by itself: it takes Node for a place
 * without threads (tensorflow/tfjs issue 3830). What is in its way there, and is put aside while `start` runs:
 *
 * - the flag `WASM_HAS_MULTITHREAD_SUPPORT` is fixed to false in Node;
 * - its threads are started from blob URLs, and load the module from another blob, neither of which Node's `Worker`
 *   can: here they get the same two texts from the package's own files;
 * - it uses at most half of the processors that it sees (it takes them for hyperthreads): here it sees each twice.
 *
 * Between kernels its threads wait for a futex, so they cost others nothing.
 *
 * @param start makes the backend
 * @returns the number of threads that the backend says it uses
 */
export async function withThreads(tf: Core, threads: number, start: () => Promise<void>): Promise<number> {
  const wasm = require('@tensorflow/tfjs-backend-wasm') as typeof import('@tensorflow/tfjs-backend-wasm');
  const { cpus } = os;
  const WorkerBefore = Object.getOwnPropertyDescriptor(globalThis, 'Worker');
  // The module sets the global Worker to Node's own when it starts.
  Object.defineProperty(globalThis, 'Worker', {
    configurable: true,
    get: () => ModuleThread,
    set: () => undefined,
  });
  os.cpus = () => [...cpus(), ...cpus()];
  syncBuiltinESMExports();
  try {
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', true);
    wasm.setThreadsCount(threads);
    await start();
    return wasm.getThreadsCount();
  } finally {
    os.cpus = cpus;
    syncBuiltinESMExports();
    if (WorkerBefore === undefined) Reflect.deleteProperty(globalThis, 'Worker');
    else Object.defineProperty(globalThis, 'Worker', WorkerBefore);
  }
}

const folder = join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'wasm-out');
const moduleFile = join(folder, 'tfjs-backend-wasm-threaded-simd.js');
const { wasmWorkerContents } = require(join(folder, 'tfjs-backend-wasm-threaded-simd.worker.js')) as {
  wasmWorkerContents: string;
};
// The package holds the program in a template string that has eaten the backslashes of its line breaks.
const threadProgram = wasmWorkerContents.replaceAll('\n', '\\n');

/** A thread of the backend. */
class ModuleThread extends Worker {
  constructor() {
    super(threadProgram, { eval: true });
  }

  override postMessage(...[message, transfer]: Parameters<Worker['postMessage']>): void {
    const { cmd } = message as { cmd?: string };
    const told = cmd === 'load' ? { ...(message as object), urlOrBlob: moduleFile } : (message as object);
    super.postMessage(told, transfer);
  }
}
