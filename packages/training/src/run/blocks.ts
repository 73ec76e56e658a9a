import { ConvbaseError } from '@convbase/base';
import type { Layer, Model } from '@convbase/layers';

/** How the applications call the layer that ends a block. */
const ENDS = /^(block\d+_pool|mixed\d+|conv\d+_block\d+_out)$/;

/**
 * The layers that end a base's blocks, in order; those of a model of other names are its poolings and its last layer
 * with height and width.
 */
export function blockEnds(base: Model): readonly Layer[] {
  const maps = base.layers.filter((layer) => layer.output.shape.length === 4);
  const named = maps.filter(({ name }) => ENDS.test(name));
  if (named.length > 0) return named;
  const last = maps.at(-1);
  return maps.filter((layer) => layer === last || /^(Max|Average)Pooling2D$/.test(layer.className));
}

/** The layers of a sweep by name. */
export function sweepLayers(base: Model, sweep: 'blocks' | readonly string[]): readonly Layer[] {
  if (sweep === 'blocks') return blockEnds(base);
  return sweep.map((name) => {
    const layer = base.getLayer(name);
    if (layer.output.shape.length === 4) return layer;
    throw new ConvbaseError('recipe/sweep', 'its output has no height and width to be averaged over', {
      where: `layer ${name}`,
      fix: 'Name layers whose outputs are maps, such as the ends of blocks.',
    });
  });
}
