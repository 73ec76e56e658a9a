import { createRequire } from 'node:module';
import { describeAdapter } from '@convbase/core-gpu';
import { ensureDriver } from '@convbase/driver';
import { create, globals } from 'webgpu';
import { serve } from '../../serve.ts';
import { ortContender } from '../onnxruntime/contender.ts';
import type { Ort } from '../onnxruntime/ort.ts';
import { versionsOf } from '../versions.ts';

/**
 * ONNX Runtime's package for browsers, on its WebGPU provider, with everything in place that a browser has for it. As
 * of 1.30 this ends in an error, which then stands in the results: the build that the package gives to Node has no
 * WebGPU ("[webgpu] backend not found"). Its builds for browsers do not run there either: their module's memory is
 * shared between threads, and Dawn's `writeBuffer` for Node takes no view of shared memory. The same kernels, natively,
 * are what `onnxruntime-node-webgpu` runs.
 */
async function load(): Promise<Ort> {
  await ensureDriver();
  const gpu = create(['enable-dawn-features=allow_unsafe_apis']);
  Object.assign(globalThis, globals, { navigator: { gpu, userAgent: 'node' } });
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error('there is no WebGPU adapter');
  const { name, kind } = describeAdapter(adapter.info, undefined);
  const require = createRequire(import.meta.url);
  const ort = require('onnxruntime-web') as typeof import('onnxruntime-web');
  return {
    Tensor: ort.Tensor,
    runner: {
      name,
      kind: kind === 'software' ? 'software' : 'gpu',
      versions: { 'onnxruntime-web': ort.env.versions.web ?? 'unknown', ...versionsOf('webgpu') },
    },
    open: (model, freeDimensionOverrides) =>
      ort.InferenceSession.create(model, {
        executionProviders: ['webgpu'],
        graphOptimizationLevel: 'all',
        freeDimensionOverrides,
      }),
  };
}

await serve(ortContender('onnxruntime-web', load));
