import { createRequire } from 'node:module';
import { describeAdapter } from '@convbase/core-gpu';
import { ensureDriver } from '@convbase/driver';
import { create } from 'webgpu';
import { serve } from '../../serve.ts';
import { ortContender } from '../onnxruntime/contender.ts';
import type { Ort } from '../onnxruntime/ort.ts';
import { versionsOf } from '../versions.ts';

/**
 * ONNX Runtime on WebGPU, in the native form that its Node package holds: the same kernels as in browsers, through a
 * Dawn of its own, on the adapter that Dawn finds first. Which one that is it does not tell; ours asks the same driver.
 */
async function load(): Promise<Ort> {
  await ensureDriver();
  const require = createRequire(import.meta.url);
  const ort = require('onnxruntime-node') as typeof import('onnxruntime-node');
  const adapter = await create([]).requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new Error('there is no WebGPU adapter');
  const { name, kind } = describeAdapter(adapter.info, undefined);
  return {
    Tensor: ort.Tensor,
    runner: {
      name,
      kind: kind === 'software' ? 'software' : 'gpu',
      versions: versionsOf('onnxruntime-node'),
    },
    open: (model, freeDimensionOverrides) =>
      ort.InferenceSession.create(model, {
        executionProviders: ['webgpu'],
        graphOptimizationLevel: 'all',
        freeDimensionOverrides,
      }),
  };
}

await serve(ortContender('onnxruntime-node-webgpu', load));
