import {
  conv2dShape,
  planConv2dFilterGradient,
  planConv2dInputGradient,
  type Gpu,
  type GpuBuffer,
} from '@convbase/core-gpu';
import { CallContext, Conv2D, input, Model, tensor } from '@convbase/layers';
import { operands } from '../../inputs.ts';
import type { Convolution, ConvolutionTask } from '../../protocol.ts';
import type { OnGpu } from './convbase.ts';

/** One convolution with its operands on the GPU: forward as a frozen layer does it, gradients as training does. */
export async function prepareConvolution(gpu: Gpu, task: ConvolutionTask): Promise<OnGpu> {
  return task.direction === 'forward' ? forward(gpu, task.convolution) : gradient(gpu, task);
}

function forward(gpu: Gpu, c: Convolution): OnGpu {
  const { x, kernel } = operands(c);
  const image = input({ shape: [c.h, c.w, c.ci] });
  const layer = new Conv2D({
    filters: c.co,
    kernelSize: [c.kh, c.kw],
    strides: c.strides,
    padding: c.padding,
    useBias: false,
  });
  const model = new Model({ inputs: image, outputs: layer.apply(image) }).to(gpu);
  layer.kernel.assign(kernel);
  const pictures = tensor(gpu, x, [c.n, c.h, c.w, c.ci]);
  const call = () => {
    const [y] = model.call([pictures], new CallContext(gpu));
    if (y === undefined) throw new Error('the layer gave nothing');
    return y;
  };
  return {
    run: async () => {
      call().dispose();
      await gpu.idle();
    },
    outputs: async () => {
      const y = call();
      const result = await y.data();
      y.dispose();
      return { result };
    },
  };
}

function gradient(gpu: Gpu, { convolution: c, direction }: ConvolutionTask): OnGpu {
  const { x, kernel, dy } = operands(c);
  const shape = conv2dShape({
    input: [c.n, c.h, c.w, c.ci],
    kernel: [c.kh, c.kw, c.ci, c.co],
    strides: c.strides,
    padding: c.padding,
  });
  const forInput = direction === 'input-gradient';
  const plan = forInput
    ? planConv2dInputGradient(shape, gpu.target)
    : planConv2dFilterGradient(shape, gpu.target);
  const result = empty(gpu, forInput ? x.length : kernel.length);
  const buffers = forInput
    ? { dy: filled(gpu, dy), kernel: filled(gpu, kernel), dx: result }
    : { x: filled(gpu, x), dy: filled(gpu, dy), dkernel: result };
  return {
    run: async () => {
      gpu.run(plan, buffers);
      await gpu.idle();
    },
    outputs: async () => ({ result: new Float32Array(await gpu.read(result)) }),
  };
}

function empty(gpu: Gpu, length: number): GpuBuffer {
  return gpu.createBuffer(4 * length, 'bench');
}

function filled(gpu: Gpu, data: Float32Array): GpuBuffer {
  const buffer = empty(gpu, data.length);
  gpu.write(buffer, data);
  return buffer;
}
