export { elementWindows, grid1d, type ElementWindow } from './grid.ts';
export type { Ladder, Rung } from './ladder.ts';
export {
  planConv2dFilterGradient,
  planConv2dForward,
  planConv2dInputGradient,
  type Conv2dFusion,
} from './conv2d/conv2d.ts';
export { conv2dShape, type Conv2dOptions, type Conv2dShape } from './conv2d/shape.ts';
