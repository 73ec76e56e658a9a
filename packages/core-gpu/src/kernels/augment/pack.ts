import { ConvbaseError } from '@convbase/base';
import type { FillMode, ImageTransform, Interpolation } from './transform.ts';

/** `fill` in the shader. */
const fills = {
  scipy: { nearest: 0, reflect: 1, wrap: 2, constant: 3 },
  tensorflow: { nearest: 0, reflect: 1, wrap: 6, constant: 7 },
} as const satisfies Record<string, Record<FillMode, number>>;

/** `nearest` in the shader. */
const interpolations = { bilinear: 0, nearest: 1 } as const satisfies Record<Interpolation, number>;

/** Bits of `colours` in the shader. */
const SHIFT = 1;
const BRIGHTNESS = 2;
const CONTRAST = 4;
const CLIP = 8;

/** 32-bit words of one transform in the buffer. */
const WORDS = 16;

/** Whether the smallest, largest or mean values of the images are needed. */
export function needStatistics(transforms: readonly ImageTransform[]): boolean {
  return transforms.some(
    ({ channelShift, contrast }) => channelShift !== undefined || contrast !== undefined,
  );
}

/**
 * Transforms as the kernel reads them (`struct Transform` of apply.wgsl), one after the other; what the buffer
 * `transforms` of `planAugment` holds.
 *
 * The kernel measures positions from the image's corner, an `ImageTransform` from the centre of the first pixel:
 * with q = A p + t for centres, q + 1/2 = A (p + 1/2) + (t + 1/2 - A 1/2).
 *
 * @throws ConvbaseError `augment/transform` for numbers that are none, an unknown mode, and for colours of both
 *   vocabularies in one transform.
 */
export function packTransforms(transforms: readonly ImageTransform[]): Uint32Array {
  const words = new Uint32Array(WORDS * transforms.length);
  const floats = new Float32Array(words.buffer);
  transforms.forEach((transform, i) => {
    const [a0, a1, a2, b0, b1, b2] = transform.matrix ?? [1, 0, 0, 0, 1, 0];
    const { fillValue = 0, channelShift = 0, brightness = 1, contrast = 1, offset = 0 } = transform;
    const [low, high] = transform.valueRange ?? [0, 0];
    const across = [a0, a1, a2 + 0.5 - 0.5 * (a0 + a1)];
    const down = [b0, b1, b2 + 0.5 - 0.5 * (b0 + b1)];
    const at = WORDS * i;
    floats.set([...across, fillValue, ...down, 0, channelShift, brightness, contrast, offset, low, high], at);
    if (!floats.subarray(at, at + WORDS).every(Number.isFinite)) {
      fail('a number of the transform is not finite', `It is ${JSON.stringify(transform)}.`);
    }
    const { edges = 'scipy', fillMode = 'nearest', interpolation = 'bilinear' } = transform;
    words[at + 7] = codeOf(codeOf(fills, edges, 'kind of edges'), fillMode, 'fill mode');
    words[at + 14] = codeOf(interpolations, interpolation, 'interpolation');
    words[at + 15] = colours(transform);
  });
  return words;
}

/** Transforms may come from JSON: names are checked, not believed. */
function codeOf<T>(codes: Readonly<Record<string, T>>, name: string, what: string): T {
  const code = Object.hasOwn(codes, name) ? codes[name] : undefined;
  return code ?? fail(`there is no ${what} '${name}'`, `Known are ${Object.keys(codes).join(', ')}.`);
}

function colours({ channelShift, brightness, contrast, offset, valueRange }: ImageTransform): number {
  const generator = channelShift !== undefined || brightness !== undefined;
  if (generator && (contrast !== undefined || offset !== undefined)) {
    fail(
      'colours of the generator and of the layers are in one transform',
      'Apply two, one after the other.',
    );
  }
  return (
    (channelShift === undefined ? 0 : SHIFT) |
    (brightness === undefined ? 0 : BRIGHTNESS) |
    (contrast === undefined ? 0 : CONTRAST) |
    (valueRange === undefined ? 0 : CLIP)
  );
}

function fail(what: string, fix: string): never {
  throw new ConvbaseError('augment/transform', what, { fix });
}
