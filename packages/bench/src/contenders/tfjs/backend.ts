import type { Runner } from '../../protocol.ts';
import type { Modules } from './modules.ts';

/** TensorFlow.js with one of its backends active. */
export interface Backend extends Modules {
  readonly runner: Runner;
  /** Resolves when everything that was asked of the device is done. */
  drain(): Promise<void>;
  /** Bytes that the backend has allocated on the GPU; it gives none back before its end. */
  readonly gpuBytes?: () => number;
}
