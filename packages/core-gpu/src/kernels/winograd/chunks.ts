import type { KernelTarget } from '../../commands/plan.ts';
import { outputSliceOf, type Conv2dEpilogue } from '../conv2d/epilogue.ts';
import type { Conv2dShape } from '../conv2d/shape.ts';
import type { WinogradChoice } from './choose.ts';
import { positions, winogradTiles } from './tiles.ts';

/** Tiles that go through the three passes together: `first` and the following of some images of the batch. */
export interface TileChunk {
  readonly image: number;
  readonly images: number;
  /** Counted from the first tile of `image`. */
  readonly first: number;
  readonly tiles: number;
}

/** Bytes that the transformed input or the products of one chunk may take: what stays in a core's cache, or a GPU's. */
const CHUNK_BYTES = { software: 2 ** 20, 'outer-product': 2 * 2 ** 20, gpu: 64 * 2 ** 20 } as const;

/**
 * Cuts the tiles of a convolution into chunks of which everything fits into bindings: first the batch into slices of
 * images whose x and y do, then their tiles.
 */
export function winogradChunks(
  s: Conv2dShape,
  epilogue: Conv2dEpilogue,
  choice: WinogradChoice,
  target: KernelTarget,
): TileChunk[] {
  const most = target.maxBindingBytes - target.offsetAlignment;
  const perImage = 4 * Math.max(s.h * s.w * s.ci, s.oh * s.ow * outputSliceOf(s, epilogue).channels);
  const images = s.n * perImage <= target.maxBindingBytes ? s.n : Math.max(1, Math.floor(most / perImage));
  const perTile = 4 * positions(s, choice.output) * Math.max(s.ci, s.co);
  const kind =
    choice.product === 'outer-product' ? 'outer-product' : target.kind === 'software' ? 'software' : 'gpu';
  const cached = CHUNK_BYTES[kind] / perTile;
  // Every chunk reads all weights again: with this many tiles that is as much as it moves itself.
  const least = (s.ci * s.co) / (s.ci + s.co);
  const wanted = Math.min(most / perTile, Math.max(cached, least));
  const block = 8 * choice.groups;
  const tilesOfImage = winogradTiles({ ...s, n: 1 }, choice.output).count;
  const chunks: TileChunk[] = [];
  for (let image = 0; image < s.n; image += images) {
    const here = Math.min(images, s.n - image);
    const total = here * tilesOfImage;
    // Chunks of equal size, so that the last one is not a sliver.
    const fewest = Math.ceil(total / Math.max(1, Math.floor(wanted / block)) / block);
    const tiles = Math.ceil(total / fewest / block) * block;
    for (let first = 0; first < total; first += tiles) {
      chunks.push({ image, images: here, first, tiles: Math.min(tiles, total - first) });
    }
  }
  return chunks;
}
