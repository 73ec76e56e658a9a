import { serve } from '../../serve.ts';
import type { Settings } from '../../protocol.ts';
import { processor } from '../processor.ts';
import type { Backend } from '../tfjs/backend.ts';
import { tfjsContender } from '../tfjs/contender.ts';
import { loadTfjs } from '../tfjs/modules.ts';
import { versionsOf } from '../versions.ts';
import { withThreads } from './threads.ts';

/** TensorFlow.js on its wasm backend: XNNPACK with SIMD, on as many threads as there are processors. */
async function open({ threads: wanted }: Settings): Promise<Backend> {
  const modules = loadTfjs('wasm');
  const { tf } = modules;
  const threads = await withThreads(tf, wanted, async () => {
    if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend did not start');
    await tf.ready();
  });
  const simd = (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) === true;
  return {
    ...modules,
    runner: {
      name: processor(threads, simd ? 'wasm with SIMD' : 'wasm without SIMD'),
      kind: 'cpu',
      versions: versionsOf(
        '@tensorflow/tfjs-core',
        '@tensorflow/tfjs-layers',
        '@tensorflow/tfjs-backend-wasm',
      ),
    },
    // A kernel of this backend is done when its function returns.
    drain: () => Promise.resolve(),
  };
}

await serve(tfjsContender('tfjs-wasm', open));
