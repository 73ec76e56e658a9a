import { createRequire } from 'node:module';
import type { Settings } from '../../protocol.ts';
import { serve } from '../../serve.ts';
import { ortContender } from '../onnxruntime/contender.ts';
import type { Ort } from '../onnxruntime/ort.ts';
import { processor } from '../processor.ts';
import { versionsOf } from '../versions.ts';

/** ONNX Runtime on the processor: its own kernels (MLAS), on as many threads as there are processors. */
async function load({ threads }: Settings): Promise<Ort> {
  const require = createRequire(import.meta.url);
  const ort = require('onnxruntime-node') as typeof import('onnxruntime-node');
  return {
    Tensor: ort.Tensor,
    runner: { name: processor(threads, 'native'), kind: 'cpu', versions: versionsOf('onnxruntime-node') },
    open: (model, freeDimensionOverrides) =>
      ort.InferenceSession.create(model, {
        executionProviders: ['cpu'],
        graphOptimizationLevel: 'all',
        intraOpNumThreads: threads,
        freeDimensionOverrides,
      }),
  };
}

await serve(ortContender('onnxruntime-node', load));
