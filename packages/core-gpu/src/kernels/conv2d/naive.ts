import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { grid1d } from '../grid.ts';
import { outputSliceOf, type Conv2dEpilogue } from './epilogue.ts';
import { denseConvolution } from './convolution.ts';
import { splitConvolution } from './subproblems.ts';
import { conv2dFlops, conv2dLengths, type Conv2dShape } from './shape.ts';

const WORKGROUP = 64;

/** One thread for each output of the forward pass: the first rung of the ladder. */
export function planNaiveForward(shape: Conv2dShape, epilogue: Conv2dEpilogue, target: KernelTarget): Plan {
  const convolution = denseConvolution(shape, outputSliceOf(shape, epilogue));
  return {
    ...totals(shape, 'conv2d forward'),
    dispatches: splitConvolution(convolution, target).map((subproblem) => ({
      shader: 'conv2d/naive-forward',
      constants: {
        WORKGROUP,
        HAS_BIAS: epilogue.bias && subproblem.lastOfSum,
        ADD_RESIDUAL: epilogue.residual === true && subproblem.lastOfSum,
        RELU: epilogue.relu && subproblem.lastOfSum,
        ACCUMULATE: !subproblem.firstOfSum,
      },
      uniforms: { ...subproblem.uniforms, ...subproblem.kernelUniforms },
      bindings: {
        x: subproblem.x('x'),
        kernel: subproblem.kernel('kernel'),
        bias: 'bias',
        residual: epilogue.residual && subproblem.lastOfSum ? subproblem.y('residual') : 'bias',
        y: subproblem.y('y'),
      },
      grid: grid1d(subproblem.uniforms.pixels * shape.co, WORKGROUP, target),
    })),
  };
}

/** One thread for each element of dx. Every tensor has to fit into one binding. */
export function planNaiveInputGradient(shape: Conv2dShape, target: KernelTarget): Plan {
  const { oh, ow, h, w, ci, co, kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft } = shape;
  const count = conv2dLengths(shape).x;
  return {
    ...totals(shape, 'conv2d input gradient'),
    dispatches: [
      {
        shader: 'conv2d/naive-input-gradient',
        constants: { WORKGROUP },
        uniforms: {
          ...{ count, oh, ow, h, w, ci, co, kh, kw },
          ...{ strideH, strideW, dilationH, dilationW, padTop, padLeft },
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
    dispatches: splitConvolution(denseConvolution(shape), target).map((subproblem) => ({
      shader: 'conv2d/naive-filter-gradient',
      constants: { WORKGROUP, ACCUMULATE: !subproblem.firstPixels },
      uniforms: { ...subproblem.uniforms, ...subproblem.kernelUniforms },
      bindings: { x: subproblem.x('x'), dy: subproblem.y('dy'), dkernel: subproblem.kernel('dkernel') },
      grid: grid1d(
        subproblem.uniforms.kh * subproblem.uniforms.kw * subproblem.uniforms.ci * shape.co,
        WORKGROUP,
        target,
      ),
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
