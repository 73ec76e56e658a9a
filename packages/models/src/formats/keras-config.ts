import { z } from 'zod';
import { malformed, parseJson } from './checks.ts';

/** A layer in a Keras config. Unknown keys stay: what they mean is decided where the graph is built. */
export interface KerasLayerConfig {
  class_name: string;
  name?: string | undefined;
  config: { name?: string | undefined; [key: string]: unknown };
  inbound_nodes?: unknown[] | undefined;
  [key: string]: unknown;
}

/** A Keras model config as `model.to_json()` gives it: a class and its layers. */
export interface KerasModelConfig {
  class_name: string;
  config: { name?: string | undefined; layers: KerasLayerConfig[]; [key: string]: unknown };
  [key: string]: unknown;
}

const layerSchema: z.ZodType<KerasLayerConfig> = z.looseObject({
  class_name: z.string(),
  name: z.string().optional(),
  config: z.looseObject({ name: z.string().optional() }),
  inbound_nodes: z.array(z.unknown()).optional(),
});

const modelSchema: z.ZodType<KerasModelConfig> = z.looseObject({
  class_name: z.string(),
  config: z.preprocess(
    // The first Keras versions wrote a Sequential's config as the bare list of its layers.
    (value) => (Array.isArray(value) ? { layers: value as unknown[] } : value),
    z.looseObject({ name: z.string().optional(), layers: z.array(layerSchema) }),
  ),
});

/**
 * Checks the parts of a model config that every reader relies on.
 *
 * @param value the parsed JSON, or the JSON as text (tfjs topologies are sometimes doubly encoded)
 * @throws ConvbaseError `file/malformed` naming the first key that is wrong
 */
export function parseModelConfig(value: unknown, where: string): KerasModelConfig {
  const parsed = modelSchema.safeParse(typeof value === 'string' ? parseJson(value, where) : value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const key = issue === undefined || issue.path.length === 0 ? 'the model config' : issue.path.join('.');
  throw malformed(
    where,
    `its model config is not one of Keras: ${key}: ${issue?.message ?? 'invalid'}`,
    parsed.error,
  );
}

/** The name of a layer: Keras 3 and functional models write it beside the config, older Sequentials only inside. */
export function layerName(layer: KerasLayerConfig): string | undefined {
  return layer.name ?? layer.config.name;
}

/** The layers of a nested model, or undefined for an ordinary layer. */
export function nestedLayers(layer: KerasLayerConfig, where: string): KerasLayerConfig[] | undefined {
  return Array.isArray(layer.config['layers']) ? parseModelConfig(layer, where).config.layers : undefined;
}

const operations = new Set(['GetItem', 'Stack', 'Divide', 'TrueDivide', 'TFOpLambda', 'SlicingOpLambda']);
const alsoLayers = new Set(['Add', 'Subtract', 'Multiply']);

/**
 * Whether an entry of a model's `layers` is an operation between layers, such as `x + 1`. Keras 3 does not count them
 * among the layers; where it names no module (in `.h5` files), the two arguments tell `Add` from the layer of that name.
 */
export function isOperation({
  module,
  class_name: className,
  inbound_nodes: nodes,
}: KerasLayerConfig): boolean {
  if (typeof module === 'string') return module.startsWith('keras.src.ops') || module.startsWith('keras.ops');
  if (operations.has(className)) return true;
  const call = nodes?.[0];
  const args = typeof call === 'object' && call !== null && 'args' in call ? call.args : undefined;
  return alsoLayers.has(className) && Array.isArray(args) && args.length === 2;
}
