import { Model, type Layer } from '@convbase/layers';
import { storeNames } from '../formats/index.ts';
import type { Hdf5Group, Hdf5Values } from './hdf5/hdf5-tree.ts';
import { hdf5File } from './hdf5/hdf5-writer.ts';

/**
 * A model's weights as Keras 3 stores them in HDF5, piece by piece: `layers/<class>_<number>/vars/<n>`, nested models
 * as another `layers` inside. The weights are read from wherever they are, large ones one at a time.
 *
 * @throws ConvbaseError `file/too-large` for a weight of 2 GB and more
 */
export function weightStore(model: Model): AsyncGenerator<Uint8Array> {
  return hdf5File(groupOf(model), model.name);
}

function groupOf(layer: Layer): Hdf5Group {
  const members = new Map<string, Hdf5Group>();
  if (layer instanceof Model) {
    const names = storeNames(layer.layers.map(({ className }) => className));
    const layers = layer.layers.map((inner, i) => [names[i] ?? '', groupOf(inner)] as const);
    members.set('layers', { members: new Map(layers) });
  }
  const own = layer instanceof Model ? [] : layer.weights;
  const variables = own.map((weight, i): [string, Hdf5Values] => [
    String(i),
    { shape: weight.shape, read: () => weight.read() },
  ]);
  members.set('vars', { attributes: { name: layer.name }, members: new Map(variables) });
  return { members };
}
