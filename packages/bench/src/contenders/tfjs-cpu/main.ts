import { serve } from '../../serve.ts';
import { processor } from '../processor.ts';
import type { Backend } from '../tfjs/backend.ts';
import { tfjsContender } from '../tfjs/contender.ts';
import { loadTfjs } from '../tfjs/modules.ts';
import { versionsOf } from '../versions.ts';

/** TensorFlow.js on its backend in plain JavaScript. */
async function open(): Promise<Backend> {
  const modules = loadTfjs('cpu');
  const { tf } = modules;
  if (!(await tf.setBackend('cpu'))) throw new Error('the cpu backend did not start');
  await tf.ready();
  return {
    ...modules,
    runner: {
      name: processor(1, 'JavaScript'),
      kind: 'cpu',
      versions: versionsOf(
        '@tensorflow/tfjs-core',
        '@tensorflow/tfjs-layers',
        '@tensorflow/tfjs-backend-cpu',
      ),
    },
    // A kernel of this backend is done when its function returns.
    drain: () => Promise.resolve(),
  };
}

await serve(tfjsContender('tfjs-cpu', open));
