import { createRequire } from 'node:module';
import { reply, serve, pictures, type ForwardCase } from './protocol.ts';
import { ensureDriver } from '@convbase/core-gpu/node';
import { hashWeights } from '@convbase/models';
import { create, globals } from 'webgpu';

/** TensorFlow.js on its WebGPU backend, on the same adapter through the same Dawn. */
async function main(forwardCase: ForwardCase): Promise<void> {
  await ensureDriver();
  // tfjs looks for a browser's globals when it is imported.
  const gpu = create(['enable-dawn-features=allow_unsafe_apis']);
  Object.assign(globalThis, globals, { navigator: { gpu, userAgent: 'node' } });
  const adapter = await gpu.requestAdapter();
  // One module graph: tfjs' ES modules and its CommonJS build would each have their own backend registry.
  const require = createRequire(import.meta.url);
  const tf = require('@tensorflow/tfjs-core') as typeof import('@tensorflow/tfjs-core');
  require('@tensorflow/tfjs-backend-webgpu');
  const { tfjsVgg16 } = await import('./tfjs-vgg16.ts');
  await tf.setBackend('webgpu');
  await tf.ready();
  if (forwardCase.model !== 'vgg16') throw new Error(`tfjs cannot build ${forwardCase.model} here`);
  const { size, batch } = forwardCase;
  const model = tfjsVgg16(size);
  for (const layer of model.layers) {
    const weights = layer.weights.map((w, i) => {
      const name = `${layer.name}/${i === 0 ? 'kernel' : 'bias'}`;
      const shape = w.shape.map(Number);
      return tf.tensor(hashWeights(name, shape), shape);
    });
    if (weights.length > 0) layer.setWeights(weights);
  }
  const x = tf.tensor4d(pictures(forwardCase), [batch, size, size, 3]);
  await serve(adapter?.info.description ?? 'unknown', async () => {
    const y = model.predict(x) as import('@tensorflow/tfjs-core').Tensor;
    const features = (await y.data()) as Float32Array;
    y.dispose();
    return features;
  });
}

main(JSON.parse(process.argv[2] ?? '{}') as ForwardCase).catch((error: unknown) => {
  reply({ kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exitCode = 1;
});
