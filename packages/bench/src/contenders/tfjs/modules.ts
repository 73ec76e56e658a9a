import { createRequire } from 'node:module';

export type Core = typeof import('@tensorflow/tfjs-core');
export type Layers = typeof import('@tensorflow/tfjs-layers');
export type Tensor = import('@tensorflow/tfjs-core').Tensor;
export type Scalar = import('@tensorflow/tfjs-core').Scalar;
export type Variable = import('@tensorflow/tfjs-core').Variable;
export type Model = import('@tensorflow/tfjs-layers').LayersModel;

const require = createRequire(import.meta.url);

/** A backend registers itself when it is loaded. */
const register = {
  webgpu: (): unknown => require('@tensorflow/tfjs-backend-webgpu'),
  wasm: (): unknown => require('@tensorflow/tfjs-backend-wasm'),
  cpu: (): unknown => require('@tensorflow/tfjs-backend-cpu'),
};

/** TensorFlow.js and one of its backends. */
export interface Modules {
  readonly tf: Core;
  readonly tfl: Layers;
}

/**
 * Loads TensorFlow.js with a backend registered. All of it in its CommonJS build: with the ES modules beside it there
 * would be two registries of backends that know nothing of each other.
 */
export function loadTfjs(backend: keyof typeof register): Modules {
  const tf = require('@tensorflow/tfjs-core') as Core;
  const tfl = require('@tensorflow/tfjs-layers') as Layers;
  register[backend]();
  return { tf, tfl };
}
