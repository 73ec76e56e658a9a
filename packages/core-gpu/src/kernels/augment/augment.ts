import { ConvbaseError } from '@convbase/base';
import type { Binding, Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';
import { modes, type PreprocessMode } from '../preprocess/preprocess.ts';
import { needStatistics } from './pack.ts';
import type { ImageTransform } from './transform.ts';
import { checkExtents } from '../check-extents.ts';

/** A batch of images, what they are made of, and the size that comes out. */
export interface AugmentShape {
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  /** Height and width of the output; those of the input when left out. */
  readonly oh?: number;
  readonly ow?: number;
  /** Whether `x` has bytes instead of floats. */
  readonly bytes: boolean;
  /** What becomes of the values at the end; `'none'` when left out. `'caffe'` is for three channels. */
  readonly mode?: PreprocessMode;
}

/** Threads that join in the statistics of one channel. */
const STATISTICS_WORKGROUP = 256;

/** One use of apply.wgsl. */
interface Pass {
  readonly from: 'x' | 'moved';
  readonly to: 'moved' | 'y';
  readonly bytes: boolean;
  readonly geometry: boolean;
  readonly colours: boolean;
  readonly mode: PreprocessMode;
}

/**
 * `y` (n, oh, ow, c) floats is `x` (n, h, w, c), bytes (padded to whole words) or floats, each image with its own
 * transform. The buffer `transforms` holds what `packTransforms` makes of the same transforms.
 *
 * One dispatch, unless colours depend on what an image looks like as a whole (channel shift, contrast): then the
 * pixels are moved first, their statistics taken, and the colours applied last.
 *
 * @throws ConvbaseError `augment/shape` for another number of transforms than images, for `'caffe'` of anything but
 *   three channels, and for an image too large for one binding.
 */
export function planAugment(
  shape: AugmentShape,
  transforms: readonly ImageTransform[],
  target: KernelTarget,
): Plan {
  checkExtents('augment', { n: shape.n, h: shape.h, w: shape.w, c: shape.c, oh: shape.oh, ow: shape.ow });
  const { n, h, w, c, bytes, mode = 'none' } = shape;
  const { oh = h, ow = w } = shape;
  if (transforms.length !== n) fail(`${transforms.length} transforms for ${n} images`);
  if (mode === 'caffe' && c !== 3) fail(`'caffe' preprocessing of ${c} channels`);
  const sizes = { h, w, c, oh, ow };
  const last = { bytes, geometry: true, colours: true, mode };
  const passes: readonly Pass[] = needStatistics(transforms)
    ? [
        { ...last, from: 'x', to: 'moved', colours: false, mode: 'none' },
        { ...last, from: 'moved', to: 'y', bytes: false, geometry: false },
      ]
    : [{ ...last, from: 'x', to: 'y' }];
  const [move, colour] = passes.map((pass) => applyPass(pass, sizes, n, target));
  const elements = n * oh * ow * c;
  return {
    kernel: 'augment',
    variant: colour === undefined ? 'one pass' : 'with statistics',
    temporaries: {
      statistics: 16 * n * c,
      ...(colour === undefined ? {} : { moved: 4 * elements }),
    },
    flops: 40 * elements,
    bytes: (bytes ? 1 : 4) * n * h * w * c + 4 * elements * (colour === undefined ? 1 : 4),
    dispatches: [
      ...(move ?? []),
      ...(colour === undefined ? [] : [...statisticsPass({ n, pixels: oh * ow, c }, target), ...colour]),
    ],
  };
}

function applyPass(
  { from, to, bytes, geometry, colours, mode }: Pass,
  sizes: Record<'h' | 'w' | 'c' | 'oh' | 'ow', number>,
  n: number,
  target: KernelTarget,
): Dispatch[] {
  const { c, oh, ow } = sizes;
  const { h, w } = geometry ? sizes : { h: oh, w: ow };
  const input = { elements: h * w * c, bytes: bytes ? 1 : 4 };
  const output = { elements: oh * ow * c, bytes: 4 };
  return imageSlices(n, [input, output], target).map(({ first, count, slice }) => {
    const x = slice(from, input);
    const y = slice(to, output);
    const [gx, gy] = grid1d(output.elements, FLAT_WORKGROUP, target);
    return {
      shader: 'augment/apply',
      constants: {
        WORKGROUP: FLAT_WORKGROUP,
        BYTES: bytes,
        GEOMETRY: geometry,
        COLOURS: colours,
        MODE: modes[mode],
      },
      uniforms: { h, w, c, oh, ow, xFirst: x.first, yFirst: y.first, imageFirst: first },
      bindings: { x: x.binding, transforms: 'transforms', statistics: 'statistics', y: y.binding },
      grid: [gx, gy, count],
    };
  });
}

function statisticsPass(
  { n, pixels, c }: Record<'n' | 'pixels' | 'c', number>,
  target: KernelTarget,
): Dispatch[] {
  const input = { elements: pixels * c, bytes: 4 };
  return imageSlices(n, [input], target).map(({ first, count, slice }) => {
    const x = slice('moved', input);
    return {
      shader: 'augment/statistics',
      constants: { WORKGROUP: STATISTICS_WORKGROUP },
      uniforms: { pixels, c, xFirst: x.first, imageFirst: first },
      bindings: { x: x.binding, statistics: 'statistics' },
      grid: [c, 1, count],
    };
  });
}

interface ImageSize {
  readonly elements: number;
  /** Of one element. */
  readonly bytes: number;
}

/** Images that one dispatch works on. */
interface ImageSlice {
  readonly first: number;
  readonly count: number;
  /** Where they lie in a buffer: a legal binding, and the number of the first image's first element in it. */
  readonly slice: (buffer: string, size: ImageSize) => { binding: Binding; first: number };
}

/** Splits a batch into slices of whole images, each of which fits a binding in all of these sizes. */
function imageSlices(n: number, sizes: readonly ImageSize[], target: KernelTarget): readonly ImageSlice[] {
  const largest = Math.max(...sizes.map(({ elements, bytes }) => elements * bytes));
  // A slice begins at a legal offset at or before its first image and ends with a whole word.
  const room = target.maxBindingBytes - target.offsetAlignment - 4;
  const most = Math.min(Math.floor(room / largest), target.maxGrid);
  if (n * largest > target.maxBindingBytes && most < 1) {
    fail(`one image has ${largest} bytes, the device binds ${target.maxBindingBytes} at most`);
  }
  const step = n * largest <= target.maxBindingBytes && n <= target.maxGrid ? n : most;
  return Array.from({ length: Math.ceil(n / step) }, (_, i) => {
    const first = i * step;
    const count = Math.min(step, n - first);
    const slice: ImageSlice['slice'] = (buffer, { elements, bytes }) => {
      const start = first * elements * bytes;
      const offset = start - (start % target.offsetAlignment);
      const end = (first + count) * elements * bytes;
      return {
        binding: { buffer, offset, size: 4 * Math.ceil((end - offset) / 4) },
        first: (start - offset) / bytes,
      };
    };
    return { first, count, slice };
  });
}

function fail(what: string): never {
  throw new ConvbaseError('augment/shape', what, { where: 'augmentation' });
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  const apply = (
    constants: Record<'BYTES' | 'GEOMETRY' | 'COLOURS', boolean>,
    MODE: number,
  ): ShaderVariant => ({
    shader: 'augment/apply',
    constants: { WORKGROUP: FLAT_WORKGROUP, ...constants, MODE },
  });
  const every = Object.values(modes);
  return [
    ...every.map((mode) => apply({ BYTES: true, GEOMETRY: true, COLOURS: true }, mode)),
    ...every.map((mode) => apply({ BYTES: false, GEOMETRY: true, COLOURS: true }, mode)),
    ...every.map((mode) => apply({ BYTES: false, GEOMETRY: false, COLOURS: true }, mode)),
    ...[true, false].map((BYTES) => apply({ BYTES, GEOMETRY: true, COLOURS: false }, modes.none)),
    { shader: 'augment/statistics', constants: { WORKGROUP: STATISTICS_WORKGROUP } },
  ];
}
