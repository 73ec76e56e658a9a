import { ConvbaseError } from '@convbase/base';
import type { Layer } from '../layers/layer.ts';

/** A model, as far as freezing is concerned. */
interface Freezable extends Layer {
  readonly layers: readonly Layer[];
  getLayer(name: string): Layer;
}

/** See `Model.unfreezeFrom`. */
export function unfreezeFrom(model: Freezable, name: string): void {
  const path = pathTo(model, name);
  const owner = path.at(-1);
  // Its error names the layers there are.
  if (owner === undefined) model.getLayer(name);
  else
    thawFrom(
      path,
      owner.sublayers.findIndex((layer) => layer.name === name),
    );
}

/** See `Model.unfreezeLast`. */
export function unfreezeLast(model: Freezable, count: number): void {
  if (!Number.isInteger(count) || count < 0) {
    throw new ConvbaseError('model/layer-count', `${count} is no number of layers`, {
      where: model.name,
      fix: 'Give a whole number, 0 to freeze all layers.',
    });
  }
  thawFrom([model], model.layers.length - count);
}

/** Thaws the models on a path (a frozen model would hide what is trained in it) and the last one's layers from `first`. */
function thawFrom(path: readonly Layer[], first: number): void {
  for (const model of path) model.setOwnTrainable(true);
  path.at(-1)?.sublayers.forEach((layer, index) => {
    layer.trainable = index >= first;
  });
}

/** The models to go through, outermost first, to one that has a layer of this name; the outer ones are searched first. */
function pathTo(model: Layer, name: string): readonly Layer[] {
  const waiting: (readonly Layer[])[] = [[model]];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    const layers = path.at(-1)?.sublayers ?? [];
    if (layers.some((layer) => layer.name === name)) return path;
    for (const layer of layers) if (layer.sublayers.length > 0) waiting.push([...path, layer]);
  }
  return [];
}
