import type { Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import { planWithFragments } from '../fragments.ts';
import { chooseConv2dForward, type ForwardChoice } from './choose.ts';
import { convolve } from './convolve.ts';
import { noEpilogue, outputSliceOf, type Conv2dEpilogue } from './epilogue.ts';
import { packKernel } from './pack-kernel.ts';
import { copyChannels, padChannels } from './pad-channels.ts';
import { denseConvolution } from './convolution.ts';
import { checkConv2dShape, conv2dFlops, conv2dLengths, type Conv2dShape } from './shape.ts';

/**
 * y = conv(x, kernel), with bias, residual and relu fused if wanted.
 *
 * Buffers: `x [n, h, w, ci]`, `kernel [kh, kw, ci, co]`, `bias [co]` (null without), `residual` like y (only with
 * `residual`), `y [n, oh, ow, co]`, or wider with `outputSlice`. Channel counts that are no multiples of 4 are brought there by
 * copies first.
 */
export function planConv2dForward(
  shape: Conv2dShape,
  epilogue: Conv2dEpilogue,
  target: KernelTarget,
  choice: ForwardChoice = chooseConv2dForward(shape, target),
): Plan {
  checkConv2dShape(shape);
  return planWithFragments(['x', 'kernel'], target, (on) =>
    planForwardAs(shape, epilogue, on, on === target ? choice : chooseConv2dForward(shape, on)),
  );
}

function planForwardAs(
  shape: Conv2dShape,
  epilogue: Conv2dEpilogue,
  target: KernelTarget,
  choice: ForwardChoice,
): Plan {
  const padded = padChannels(shape);
  const { x, kernel, y } = conv2dLengths(padded);
  const padX = padded.ci !== shape.ci;
  const slice = outputSliceOf(shape, epilogue);
  const widthY = padded.co !== shape.co;
  const padY = widthY || slice.channels % 4 !== 0 || slice.offset % 4 !== 0;
  const padKernel = padX || widthY;
  const dispatches: Dispatch[] = [];
  if (padX) {
    const pixels = shape.n * shape.h * shape.w;
    const [source, result] = [
      { buffer: 'x', channels: shape.ci },
      { buffer: 'paddedX', channels: padded.ci },
    ];
    dispatches.push(...copyChannels(source, result, pixels, noEpilogue, target));
  }
  if (padKernel) {
    const packed = {
      buffer: 'paddedKernel',
      offset: 0,
      length: kernel,
      rows: padded.ci,
      columns: padded.co,
    };
    const taps = {
      y: { first: 0, step: 1, count: shape.kh },
      x: { first: 0, step: 1, count: shape.kw },
    };
    dispatches.push(...packKernel({ buffer: 'kernel', ...shape }, packed, taps, false, target));
  }
  const buffers = {
    x: padX ? 'paddedX' : 'x',
    kernel: padKernel ? 'paddedKernel' : 'kernel',
    y: padY ? 'paddedY' : 'y',
  };
  const convolution = denseConvolution(padded, padY ? undefined : slice);
  const convolved = convolve(convolution, buffers, padY ? noEpilogue : epilogue, choice, target);
  dispatches.push(...convolved.dispatches);
  if (padY) {
    const [source, result] = [
      { buffer: 'paddedY', channels: padded.co },
      { buffer: 'y', channels: shape.co },
    ];
    dispatches.push(...copyChannels(source, result, shape.n * shape.oh * shape.ow, epilogue, target));
  }
  return {
    kernel: 'conv2d forward',
    variant: choice.variant,
    problem: { kernel: 'conv2d forward', shape: { ...shape } },
    dispatches,
    temporaries: {
      ...(padX && { paddedX: 4 * x }),
      ...(padKernel && { paddedKernel: 4 * kernel }),
      ...(padY && { paddedY: 4 * y }),
      ...(convolved.partials > 0 && { partials: 4 * convolved.partials }),
    },
    flops: conv2dFlops(shape),
    bytes: conv2dBytes(shape),
  };
}

/** Bytes of x, kernel and y, each touched once. */
export function conv2dBytes(shape: Conv2dShape): number {
  const { x, kernel, y } = conv2dLengths(shape);
  return 4 * (x + kernel + y);
}
