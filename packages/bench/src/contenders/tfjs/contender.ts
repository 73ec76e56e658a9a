import { Unsupported, type Contender, type Prepared, type Settings, type Task } from '../../protocol.ts';
import type { Backend } from './backend.ts';
import { prepareConvolution } from './convolution.ts';
import { prepareForward } from './forward.ts';
import { prepareTrain } from './train.ts';

/** TensorFlow.js on one of its backends. */
export function tfjsContender(name: string, open: (settings: Settings) => Promise<Backend>): Contender {
  return {
    name,
    async prepare(task, settings) {
      const backend = await open(settings);
      const prepared = await prepareOn(backend, task);
      const { gpuBytes } = backend;
      return { ...prepared, runner: backend.runner, ...(gpuBytes && { peakGpuBytes: gpuBytes }) };
    },
  };
}

function prepareOn(backend: Backend, task: Task): Promise<Omit<Prepared, 'runner'>> {
  switch (task.kind) {
    case 'forward':
    case 'first-result':
      return prepareForward(backend, task);
    case 'convolution':
      return prepareConvolution(backend, task);
    case 'train':
      return prepareTrain(backend, task);
    case 'extract':
      throw new Unsupported('TensorFlow.js decodes no pictures in Node without its native addon');
    case 'cached-epoch':
      throw new Unsupported('TensorFlow.js keeps no outputs of frozen layers');
  }
}
