import type { Binding, Dispatch, KernelTarget } from '../../commands/plan.ts';
import { grid1d } from '../grid.ts';
import { floatSlice } from '../binding-slices.ts';
import type { Conv2dEpilogue } from './epilogue.ts';
import { tooLarge } from './subproblems.ts';
import type { Conv2dShape } from './shape.ts';

const WORKGROUP = 64;

/** The next multiple of 4: the fast kernels read channels four at a time. */
export function roundUpTo4(channels: number): number {
  return Math.ceil(channels / 4) * 4;
}

/** The same convolution with its channels padded with zeros to multiples of 4. */
export function padChannels(shape: Conv2dShape): Conv2dShape {
  return { ...shape, ci: roundUpTo4(shape.ci), co: roundUpTo4(shape.co) };
}

/**
 * Dispatches that copy `pixels` pixels from one number of channels to another (see copy-channels.wgsl); with `outputSlice`, into
 * some channels of a wider tensor.
 */
export function copyChannels(
  source: { readonly buffer: string; readonly channels: number },
  result: { readonly buffer: string; readonly channels: number },
  pixels: number,
  epilogue: Conv2dEpilogue,
  target: KernelTarget,
): Dispatch[] {
  const slice = epilogue.outputSlice ?? { channels: result.channels, offset: 0 };
  const widest = 4 * Math.max(source.channels, slice.channels);
  // A slice of `step` pixels fits, with the few bytes by which it starts before them at a legal offset.
  const whole = widest * pixels <= target.maxBindingBytes;
  const step = whole ? pixels : Math.floor((target.maxBindingBytes - target.offsetAlignment) / widest);
  if (step < 1) throw tooLarge(source.channels, slice.channels, target);
  const dispatches: Dispatch[] = [];
  for (let first = 0; first < pixels; first += step) {
    const count = Math.min(step, pixels - first);
    const from = floatSlice(source.buffer, first * source.channels, count * source.channels, whole, target);
    const start = first * slice.channels + slice.offset;
    const to = floatSlice(
      result.buffer,
      start,
      (count - 1) * slice.channels + result.channels,
      whole,
      target,
    );
    dispatches.push({
      shader: 'conv2d/copy-channels',
      constants: {
        WORKGROUP,
        HAS_BIAS: epilogue.bias,
        ADD_RESIDUAL: epilogue.residual === true,
        RELU: epilogue.relu,
      },
      uniforms: {
        pixels: count,
        channels: result.channels,
        sourceChannels: source.channels,
        sourceOffset: from.offset,
        resultOffset: to.offset,
        resultStridePixel: slice.channels,
      },
      bindings: {
        source: from.binding,
        bias: 'bias',
        residual: epilogue.residual ? rebind(to.binding, 'residual') : 'bias',
        result: to.binding,
      },
      grid: grid1d(count * result.channels, WORKGROUP, target),
    });
  }
  return dispatches;
}

/** The same slice of another buffer. */
function rebind(binding: Binding, buffer: string): Binding {
  return typeof binding === 'string' ? buffer : { ...binding, buffer };
}
