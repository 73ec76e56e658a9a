import { pictures } from '../../inputs.ts';
import type { FirstResultTask, ForwardTask, Prepared } from '../../protocol.ts';
import type { Ort } from './ort.ts';

/** A batch through a network: pictures from the host, features back to it. */
export async function prepareForward(
  ort: Ort,
  model: Uint8Array,
  task: ForwardTask | FirstResultTask,
): Promise<Omit<Prepared, 'runner'>> {
  const { batch, size } = task;
  const session = await ort.open(model, { N: batch });
  const values = pictures(task);
  let features: Float32Array = new Float32Array();
  return {
    async run() {
      const x = new ort.Tensor('float32', values, [batch, size, size, 3]);
      const { y } = await session.run({ x });
      features = (await y?.getData()) as Float32Array;
      y?.dispose();
    },
    outputs: async () => ({ features }),
  };
}
