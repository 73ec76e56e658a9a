import { Model, type Layer } from '@convbase/layers';
import { matchLayers, type ModelFile, type TargetLayer } from '../formats/index.ts';

interface Target extends TargetLayer {
  readonly layer: Layer;
}

/**
 * Fills a model with stored weights.
 *
 * Layers find theirs as the file's format asks (by order, by name, by class and number: see `matchLayers`). Every
 * shape is checked before the first value is assigned, so that a file that does not fit changes nothing.
 *
 * @throws ConvbaseError `weights/count`, `weights/missing` or `weights/shape`, naming file, layer and both shapes
 */
export function loadWeights(model: Model, file: ModelFile): void {
  for (const { target, weights } of matchLayers(file, model.layers.map(describe))) {
    target.layer.weights.forEach((variable, i) => {
      const stored = weights[i];
      if (stored !== undefined) variable.assign(stored.read());
    });
  }
}

function describe(layer: Layer): Target {
  const { name, className, weights } = layer;
  const described = weights.map(({ name, shape, trainable }) => ({ name, shape, trainable }));
  const target = { layer, name, className, weights: described };
  return layer instanceof Model ? { ...target, layers: layer.layers.map(describe) } : target;
}
