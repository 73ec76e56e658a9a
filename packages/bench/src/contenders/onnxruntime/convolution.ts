import { operands, outputSize } from '../../inputs.ts';
import { OnnxGraph } from '../../onnx/graph.ts';
import { transpose } from '../../onnx/transpose.ts';
import { Unsupported, type Convolution, type ConvolutionTask, type Prepared } from '../../protocol.ts';
import type { Ort } from './ort.ts';

/**
 * One convolution. ONNX has pictures as NCHW and kernels as OIHW: the operands are brought into that order before the
 * clock runs, the result out of it afterwards. The kernel is a constant of the model, as in a network.
 *
 * The inference packages have no gradients, but that of the input is an operator of its own: ConvTranspose, with the
 * same kernel and padding.
 */
export async function prepareConvolution(
  ort: Ort,
  { convolution: c, direction }: ConvolutionTask,
): Promise<Omit<Prepared, 'runner'>> {
  if (direction === 'filter-gradient') {
    throw new Unsupported('ONNX Runtime has no gradients in its packages for inference');
  }
  const values = operands(c);
  const { oh, ow } = outputSize(c);
  const forward = direction === 'forward';
  const session = await ort.open(
    forward ? forwardModel(c, values.kernel) : inputGradientModel(c, values.kernel),
    {},
  );
  const input = forward
    ? { values: values.x, shape: [c.n, c.h, c.w, c.ci] as const }
    : { values: values.dy, shape: [c.n, oh, ow, c.co] as const };
  const [n, h, w, channels] = input.shape;
  const x = new ort.Tensor('float32', transpose(input.values, input.shape, [0, 3, 1, 2]), [
    n,
    channels,
    h,
    w,
  ]);
  let result: Float32Array = new Float32Array();
  const shape = forward ? [c.n, c.co, oh, ow] : [c.n, c.ci, c.h, c.w];
  return {
    async run() {
      const { y } = await session.run({ x });
      result = (await y?.getData()) as Float32Array;
      y?.dispose();
    },
    outputs: async () => ({ result: transpose(result, shape, [0, 2, 3, 1]) }),
  };
}

function forwardModel(c: Convolution, kernel: Float32Array): Uint8Array {
  const { oh, ow } = outputSize(c);
  const graph = new OnnxGraph();
  const x = graph.input('x', [c.n, c.ci, c.h, c.w]);
  graph.output(graph.node('Conv', 'y', [x, kernelOf(graph, c, kernel)], attributes(c)), [c.n, c.co, oh, ow]);
  return graph.bytes();
}

function inputGradientModel(c: Convolution, kernel: Float32Array): Uint8Array {
  const { oh, ow } = outputSize(c);
  const { pads, ...rest } = attributes(c);
  const [top = 0, left = 0, bottom = 0, right = 0] = pads;
  // Rows and columns at the end that no window reached get zeros.
  const output_padding = [
    c.h - ((oh - 1) * c.strides[0] + c.kh - top - bottom),
    c.w - ((ow - 1) * c.strides[1] + c.kw - left - right),
  ];
  const graph = new OnnxGraph();
  const x = graph.input('x', [c.n, c.co, oh, ow]);
  const operators = [x, kernelOf(graph, c, kernel)];
  const y = graph.node('ConvTranspose', 'y', operators, { ...rest, pads, output_padding });
  graph.output(y, [c.n, c.ci, c.h, c.w]);
  return graph.bytes();
}

/** OIHW, which ConvTranspose calls IOHW: its input is our output. */
function kernelOf(graph: OnnxGraph, c: Convolution, kernel: Float32Array): string {
  const values = transpose(kernel, [c.kh, c.kw, c.ci, c.co], [3, 2, 0, 1]);
  return graph.constant('kernel', [c.co, c.ci, c.kh, c.kw], values);
}

/** SAME padding is Keras': the smaller half before. */
function attributes(c: Convolution): Record<'kernel_shape' | 'strides' | 'pads', readonly number[]> {
  const { oh, ow } = outputSize(c);
  const axis = (n: number, k: number, s: number, o: number): [number, number] => {
    const total = c.padding === 'same' ? Math.max((o - 1) * s + k - n, 0) : 0;
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  };
  const [top, bottom] = axis(c.h, c.kh, c.strides[0], oh);
  const [left, right] = axis(c.w, c.kw, c.strides[1], ow);
  return { kernel_shape: [c.kh, c.kw], strides: c.strides, pads: [top, left, bottom, right] };
}
