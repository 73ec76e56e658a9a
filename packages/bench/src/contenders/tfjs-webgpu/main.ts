import { describeAdapter } from '@convbase/core-gpu';
import { ensureDriver } from '@convbase/driver';
import { create, globals } from 'webgpu';
import { serve } from '../../serve.ts';
import type { Backend } from '../tfjs/backend.ts';
import { tfjsContender } from '../tfjs/contender.ts';
import { loadTfjs } from '../tfjs/modules.ts';
import { versionsOf } from '../versions.ts';

/** What its WebGPU backend does not show in its types. */
interface Internals {
  readonly device: GPUDevice;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** TensorFlow.js on its WebGPU backend: the same adapter as ours, through the same Dawn. */
async function open(): Promise<Backend> {
  await ensureDriver();
  // tfjs looks for a browser's globals when it is imported.
  const wanted = process.env['CONVBASE_ADAPTER'];
  const options = ['enable-dawn-features=allow_unsafe_apis'];
  const gpu = create(wanted === undefined ? options : [...options, `adapter=${wanted}`]);
  Object.assign(globalThis, globals, { navigator: { gpu, userAgent: 'node' } });
  const modules = loadTfjs('webgpu');
  const { tf } = modules;
  if (!(await tf.setBackend('webgpu'))) throw new Error('the webgpu backend did not start');
  await tf.ready();
  const backend = tf.backend() as unknown as Internals;
  const { device } = backend;
  const { name, kind } = describeAdapter(device.adapterInfo, undefined);
  return {
    ...modules,
    runner: {
      name,
      kind: kind === 'software' ? 'software' : 'gpu',
      versions: versionsOf(
        '@tensorflow/tfjs-core',
        '@tensorflow/tfjs-layers',
        '@tensorflow/tfjs-backend-webgpu',
        'webgpu',
      ),
    },
    async drain() {
      // As the backend itself does before it reads: kernels are recorded into an open pass.
      backend.ensureCommandEncoderReady();
      backend.endComputePassEncoder();
      backend.submitQueue();
      await device.queue.onSubmittedWorkDone();
    },
    gpuBytes: () => (tf.memory() as unknown as { numBytesAllocatedInGPU: number }).numBytesAllocatedInGPU,
  };
}

await serve(tfjsContender('tfjs-webgpu', open));
