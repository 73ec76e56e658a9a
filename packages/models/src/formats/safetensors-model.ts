import { parseModelConfig } from './keras-config.ts';
import type { KerasModelConfig } from './keras-config.ts';
import type { LayerWeights, StoredWeight } from './model-file.ts';
import type { SafetensorsFile } from './safetensors.ts';

/**
 * A safetensors file as a model: tensors named `<layer>/<weight>`, and in the metadata entry `config` perhaps the
 * model's Keras config as JSON.
 */
export function readSafetensorsModel(
  file: SafetensorsFile,
  where: string,
): { config: KerasModelConfig | undefined; layers: LayerWeights[] } {
  const layers = new Map<string, StoredWeight[]>();
  for (const tensor of file.tensors.values()) {
    const slash = tensor.name.lastIndexOf('/');
    const layer = slash < 0 ? tensor.name : tensor.name.slice(0, slash);
    const { shape, dtype } = tensor;
    const weight = {
      name: tensor.name.slice(slash + 1),
      path: tensor.name,
      shape,
      dtype,
      read: () => tensor.read(),
    };
    const weights = layers.get(layer);
    if (weights === undefined) layers.set(layer, [weight]);
    else weights.push(weight);
  }
  const config = file.metadata['config'];
  return {
    config: config === undefined ? undefined : parseModelConfig(config, where),
    layers: [...layers].map(([name, weights]) => ({ name, weights })),
  };
}
