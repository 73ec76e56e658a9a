import { readBounded } from '@convbase/base/node';
import { Unsupported, type Contender, type Prepared, type Settings, type Task } from '../../protocol.ts';
import { material } from '../material.ts';
import { prepareConvolution } from './convolution.ts';
import { prepareForward } from './forward.ts';
import type { Ort } from './ort.ts';

/** More than any network here has. */
const MAX_BYTES = 2 ** 31;

/** One of ONNX Runtime's packages. */
export function ortContender(name: string, load: (settings: Settings) => Promise<Ort>): Contender {
  return {
    name,
    async prepare(task, settings) {
      const ort = await load(settings);
      return { ...(await prepareOn(ort, task)), runner: ort.runner };
    },
  };
}

async function prepareOn(ort: Ort, task: Task): Promise<Omit<Prepared, 'runner'>> {
  switch (task.kind) {
    case 'forward':
    case 'first-result':
      return prepareForward(ort, await readBounded(material(task, 'onnx'), MAX_BYTES), task);
    case 'convolution':
      return prepareConvolution(ort, task);
    case 'train':
    case 'cached-epoch':
      throw new Unsupported('ONNX Runtime does not train with its packages for inference');
    case 'extract':
      throw new Unsupported('ONNX Runtime decodes no pictures');
  }
}
