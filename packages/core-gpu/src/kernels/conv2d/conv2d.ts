/** Convolution: shapes, and plans of the forward pass and both gradients. See README.md. */
export { chooseConv2dFilterGradient, chooseConv2dForward } from './choose.ts';
export { planConv2dFilterGradient } from './filter-gradient.ts';
export { planConv2dForward } from './forward.ts';
export { type Conv2dEpilogue } from './epilogue.ts';
export { planConv2dInputGradient } from './input-gradient.ts';
export { conv2dShape, type Conv2dOptions, type Conv2dShape } from './shape.ts';
