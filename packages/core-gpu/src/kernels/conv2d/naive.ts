import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { grid1d } from '../grid.ts';
import { sliceOf, type Conv2dFusion } from './fusion.ts';
import { convolutionPieces, denseConvolution } from './pieces.ts';
import { conv2dFlops, conv2dLengths, type Conv2dShape } from './shape.ts';

const WORKGROUP = 64;

/** One thread for each output of the forward pass: the first rung of the ladder. */
export function planNaiveForward(shape: Conv2dShape, fusion: Conv2dFusion, target: KernelTarget): Plan {
  const convolution = denseConvolution(shape, sliceOf(shape, fusion));
  return {
    ...totals(shape, 'conv2d forward'),
    dispatches: convolutionPieces(convolution, target).map((piece) => ({
      shader: 'conv2d/naive-forward',
      constants: {
        WORKGROUP,
        HAS_BIAS: fusion.bias && piece.lastOfSum,
        ADD_RESIDUAL: fusion.add === true && piece.lastOfSum,
        RELU: fusion.relu && piece.lastOfSum,
        ACCUMULATE: !piece.firstOfSum,
      },
      uniforms: { ...piece.uniforms, ...piece.kernelUniforms },
      bindings: {
        x: piece.x('x'),
        kernel: piece.kernel('kernel'),
        bias: 'bias',
        residual: fusion.add && piece.lastOfSum ? piece.y('residual') : 'bias',
        y: piece.y('y'),
      },
      grid: grid1d(piece.uniforms.pixels * shape.co, WORKGROUP, target),
    })),
  };
}

/** One thread for each element of dx. Every tensor has to fit into one binding. */
export function planNaiveInputGradient(shape: Conv2dShape, target: KernelTarget): Plan {
  const { oh, ow, h, w, ci, co, kh, kw, strideH, strideW, dilationH, dilationW, top, left } = shape;
  const count = conv2dLengths(shape).x;
  return {
    ...totals(shape, 'conv2d input gradient'),
    dispatches: [
      {
        shader: 'conv2d/naive-input-gradient',
        constants: { WORKGROUP },
        uniforms: {
          ...{ count, oh, ow, h, w, ci, co, kh, kw },
          ...{ strideH, strideW, dilationH, dilationW, top, left },
        },
        bindings: { dy: 'dy', kernel: 'kernel', dx: 'dx' },
        grid: grid1d(count, WORKGROUP, target),
      },
    ],
  };
}

/** One thread for each weight. */
export function planNaiveFilterGradient(shape: Conv2dShape, target: KernelTarget): Plan {
  return {
    ...totals(shape, 'conv2d filter gradient'),
    dispatches: convolutionPieces(denseConvolution(shape), target).map((piece) => ({
      shader: 'conv2d/naive-filter-gradient',
      constants: { WORKGROUP, ACCUMULATE: !piece.firstPixels },
      uniforms: { ...piece.uniforms, ...piece.kernelUniforms },
      bindings: { x: piece.x('x'), dy: piece.y('dy'), dkernel: piece.kernel('dkernel') },
      grid: grid1d(piece.uniforms.kh * piece.uniforms.kw * piece.uniforms.ci * shape.co, WORKGROUP, target),
    })),
  };
}

function totals(shape: Conv2dShape, kernel: string) {
  const { x, kernel: weights, y } = conv2dLengths(shape);
  return {
    kernel,
    variant: 'naive',
    temporaries: {},
    flops: conv2dFlops(shape),
    bytes: 4 * (x + weights + y),
  };
}
