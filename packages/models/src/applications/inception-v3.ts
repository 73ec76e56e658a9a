import {
  Activation,
  AveragePooling2D,
  BatchNormalization,
  Concatenate,
  Conv2D,
  GlobalAveragePooling2D,
  MaxPooling2D,
  type NameScope,
  type SymbolicTensor,
} from '@convbase/layers';
import type { Architecture } from './architecture.ts';

/** One step of a branch: from a tensor to the next. */
type Step = (x: SymbolicTensor, names: NameScope) => SymbolicTensor;
/** Steps one after the other. */
type Branch = readonly Step[];

/** A convolution without bias, batch normalisation without scale, relu. SAME padding unless it strides. */
function conv(
  filters: number,
  height = 1,
  width = height,
  options: { stride?: number; valid?: boolean } = {},
): Step {
  const { stride = 1, valid = stride > 1 } = options;
  return (x, names) => {
    const y = new Conv2D({
      filters,
      kernelSize: [height, width],
      strides: stride,
      padding: valid ? 'valid' : 'same',
      useBias: false,
      names,
    }).apply(x);
    const normalized = new BatchNormalization({ scale: false, names }).apply(y);
    return new Activation({ activation: 'relu', names }).apply(normalized);
  };
}

/** Pooling that halves the plane. */
const shrink: Step = (x, names) => new MaxPooling2D({ poolSize: 3, strides: 2, names }).apply(x);
/** Pooling that keeps the plane. */
const smooth: Step = (x, names) =>
  new AveragePooling2D({ poolSize: 3, strides: 1, padding: 'same', names }).apply(x);

/** Branches side by side, joined along the channels. */
function join(name: string | null, branches: readonly Branch[]): Step {
  return (x, names) => {
    const ends = branches.map((branch) => run(branch, x, names));
    return new Concatenate({ axis: -1, ...(name === null ? { names } : { name }) }).apply(ends);
  };
}

const run = (branch: Branch, x: SymbolicTensor, names: NameScope): SymbolicTensor =>
  branch.reduce((tensor, step) => step(tensor, names), x);

/** 35 x 35 at 299: 1x1, 5x5 and two 3x3 in a row. */
const fives = (name: string, pooled: number): Step =>
  join(name, [
    [conv(64)],
    [conv(48), conv(64, 5)],
    [conv(64), conv(96, 3), conv(96, 3)],
    [smooth, conv(pooled)],
  ]);

/** 17 x 17 at 299: 7x7 taken apart into 1x7 and 7x1. */
const sevens = (name: string, inner: number): Step =>
  join(name, [
    [conv(192)],
    [conv(inner), conv(inner, 1, 7), conv(192, 7, 1)],
    [conv(inner), conv(inner, 7, 1), conv(inner, 1, 7), conv(inner, 7, 1), conv(192, 1, 7)],
    [smooth, conv(192)],
  ]);

/** 1x3 and 3x1 side by side. */
const spread = (name: string | null): Step => join(name, [[conv(384, 1, 3)], [conv(384, 3, 1)]]);

/** 8 x 8 at 299: branches that spread at their ends. */
const spreads = (name: string, inner: string): Step =>
  join(name, [
    [conv(320)],
    [conv(384), spread(inner)],
    [conv(448), conv(384, 3), spread(null)],
    [smooth, conv(192)],
  ]);

const body: Branch = [
  conv(32, 3, 3, { stride: 2 }),
  conv(32, 3, 3, { valid: true }),
  conv(64, 3),
  shrink,
  conv(80, 1, 1, { valid: true }),
  conv(192, 3, 3, { valid: true }),
  shrink,
  fives('mixed0', 32),
  fives('mixed1', 64),
  fives('mixed2', 64),
  join('mixed3', [
    [conv(384, 3, 3, { stride: 2 })],
    [conv(64), conv(96, 3), conv(96, 3, 3, { stride: 2 })],
    [shrink],
  ]),
  sevens('mixed4', 128),
  sevens('mixed5', 160),
  sevens('mixed6', 160),
  sevens('mixed7', 192),
  join('mixed8', [
    [conv(192), conv(320, 3, 3, { stride: 2 })],
    [conv(192), conv(192, 1, 7), conv(192, 7, 1), conv(192, 3, 3, { stride: 2 })],
    [shrink],
  ]),
  spreads('mixed9', 'mixed9_0'),
  spreads('mixed10', 'mixed9_1'),
];

/** Szegedy and others, "Rethinking the Inception Architecture for Computer Vision", 2015. */
export const inceptionV3Architecture: Architecture = {
  id: 'inception_v3',
  title: 'InceptionV3',
  preprocess: 'tf',
  defaultSize: 299,
  minSize: 75,
  namedPooling: false,
  base: (image, names) => run(body, image, names),
  top: (features) => new GlobalAveragePooling2D({ name: 'avg_pool' }).apply(features),
};
