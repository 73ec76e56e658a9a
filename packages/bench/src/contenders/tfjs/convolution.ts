import { operands, outputSize } from '../../inputs.ts';
import type { ConvolutionTask, Prepared } from '../../protocol.ts';
import type { Backend } from './backend.ts';
import type { Tensor } from './modules.ts';

/**
 * One convolution or one of its gradients. The kernels of the gradients are called by name: the functions that lead to
 * them (`tf.grads`) would compute the forward pass as well.
 */
export async function prepareConvolution(
  backend: Backend,
  { convolution: c, direction }: ConvolutionTask,
): Promise<Omit<Prepared, 'runner'>> {
  const { tf } = backend;
  const { oh, ow } = outputSize(c);
  const values = operands(c);
  const filterShape: [number, number, number, number] = [c.kh, c.kw, c.ci, c.co];
  const inputShape: [number, number, number, number] = [c.n, c.h, c.w, c.ci];
  const x = tf.tensor4d(values.x, inputShape);
  const filter = tf.tensor4d(values.kernel, filterShape);
  const dy = tf.tensor4d(values.dy, [c.n, oh, ow, c.co]);
  const strides: [number, number] = [...c.strides];
  const attributes = { strides, pad: c.padding, dataFormat: 'NHWC' };

  const compute: Record<typeof direction, () => Tensor> = {
    forward: () => tf.conv2d(x, filter, strides, c.padding),
    'input-gradient': () =>
      tf.engine().runKernel('Conv2DBackpropInput', { dy, filter }, { ...attributes, inputShape }),
    'filter-gradient': () =>
      tf.engine().runKernel('Conv2DBackpropFilter', { x, dy }, { ...attributes, filterShape }),
  };
  let result: Tensor | undefined;
  return {
    async run() {
      result?.dispose();
      result = compute[direction]();
      await backend.drain();
    },
    outputs: async () => ({ result: (await result?.data()) ?? [] }),
  };
}
