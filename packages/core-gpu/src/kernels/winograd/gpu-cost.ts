import type { Conv2dShape } from '../conv2d/shape.ts';

/*
 * What a convolution costs on a GPU, in multiply-adds and additions that it could do meanwhile (FLOPs). Three assumptions,
 * none of them measured: they are about what graphics cards from 2 to 60 TFLOP/s have in common. Where they are wrong for
 * an adapter, `convbase tune` measures.
 *
 * - A kernel does 10 FLOPs in the time that it takes to move a byte, and does both at once.
 * - A pass over the data (a dispatch, and the barrier that the next one waits for) takes as long as 50 MFLOP: 5
 *   microseconds at 10 TFLOP/s.
 * - Products run in tiles of 64 x 64 outputs, those at the edges too.
 */
const FLOPS_PER_BYTE = 10;
const PASS = 5e7;
const TILE = 64;

/** One pass, which reads x and the kernel and writes y. */
export function gpuDirectCost(s: Conv2dShape): number {
  const flops = 2 * s.kh * s.kw * s.ci * inTiles(s.n * s.oh * s.ow) * inTiles(s.co);
  return PASS + Math.max(flops, FLOPS_PER_BYTE * (imageBytes(s) + 4 * s.kh * s.kw * s.ci * s.co));
}

/**
 * Three passes: tiles of x are transformed, multiplied by the transformed kernel, and transformed back. The passes of
 * further chunks are not counted: each of those moves 64 MiB, beside which a pass is nothing.
 */
export function gpuWinogradCost(s: Conv2dShape, positions: number, tiles: number): number {
  const flops = 2 * positions * s.ci * inTiles(tiles) * inTiles(s.co);
  const between = 4 * positions * tiles * (s.ci + s.co);
  const factors = 4 * positions * s.ci * s.co;
  const transforms = FLOPS_PER_BYTE * (imageBytes(s) + between);
  return 3 * PASS + transforms + Math.max(flops, FLOPS_PER_BYTE * (between + factors));
}

/** Bytes of x and y. */
function imageBytes(s: Conv2dShape): number {
  return 4 * s.n * (s.h * s.w * s.ci + s.oh * s.ow * s.co);
}

function inTiles(length: number): number {
  return Math.ceil(length / TILE) * TILE;
}
