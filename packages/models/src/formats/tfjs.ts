import { z } from 'zod';
import { ConvbaseError } from '@convbase/base';
import { elementCount, malformed, parseJson, unsupported } from './checks.ts';
import { parseModelConfig } from './keras-config.ts';
import type { KerasModelConfig } from './keras-config.ts';
import type { LayerWeights, StoredWeight } from './model-file.ts';
import { bytesPerElement, toFloat32 } from './numbers.ts';
import type { StoredType } from './numbers.ts';
import { ShardedSource } from './sharded-source.ts';
import type { ByteSource } from './source.ts';

/** At 4 MB each, as the converter cuts them, more than any model has. */
const MAX_SHARDS = 10_000;

const quantizationSchema = z.looseObject({
  dtype: z.enum(['uint8', 'uint16', 'float16']),
  scale: z.number().optional(),
  min: z.number().optional(),
});

const weightSchema = z.looseObject({
  name: z.string(),
  shape: z.array(z.number()),
  dtype: z.string(),
  quantization: quantizationSchema.optional(),
});

const modelSchema = z.looseObject({
  format: z.string().optional(),
  modelTopology: z.union([z.looseObject({}), z.string()]),
  weightsManifest: z.array(z.looseObject({ paths: z.array(z.string()), weights: z.array(weightSchema) })),
});

type Weight = z.infer<typeof weightSchema>;

/** What `model.json` says, checked. */
export interface TfjsModel {
  readonly config: KerasModelConfig;
  readonly groups: readonly { readonly paths: readonly string[]; readonly weights: readonly Weight[] }[];
}

/** Whether parsed JSON looks like a `model.json` of TensorFlow.js. */
export function isTfjsModel(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'modelTopology' in value;
}

/** @throws ConvbaseError `file/malformed`, or `file/unsupported` for graph models */
export function parseTfjsModel(value: unknown, where: string): TfjsModel {
  if (typeof value === 'object' && value !== null && 'format' in value && value.format === 'graph-model') {
    throw unsupported(
      where,
      'it is a TensorFlow.js graph model',
      'Convert the model as a layers-model (tfjs_layers_model).',
    );
  }
  const parsed = modelSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw malformed(
      where,
      `${issue?.path.join('.') ?? 'model.json'}: ${issue?.message ?? 'invalid'}`,
      parsed.error,
    );
  }
  const { modelTopology: topology, weightsManifest: groups } = parsed.data;
  const paths = groups.flatMap((group) => group.paths);
  if (paths.length > MAX_SHARDS) throw malformed(where, `it lies in ${paths.length} files`);
  for (const path of paths) checkShardPath(path, where);
  // The converter wraps the config with Keras' version; tfjs' own save() does too, but may have encoded it as text.
  const outer: unknown = typeof topology === 'string' ? parseJson(topology, where) : topology;
  const inner =
    typeof outer === 'object' && outer !== null && 'model_config' in outer ? outer.model_config : outer;
  return { config: parseModelConfig(inner, where), groups };
}

/** Shards lie beside `model.json` or below: anything that could lead elsewhere is refused. */
function checkShardPath(path: string, where: string): void {
  const parts = path.split('/');
  const safe =
    path !== '' &&
    !/[\\:\0]/.test(path) &&
    parts.every((part) => part !== '' && part !== '..' && part !== '.');
  if (safe) return;
  throw new ConvbaseError(
    'file/unsafe-path',
    `its weight file ${JSON.stringify(path)} would lie outside the model's folder`,
    {
      where,
      fix: 'Do not use this model: its paths were tampered with.',
    },
  );
}

/**
 * The tensors of a layers-model: each manifest group's shards are one byte string, cut into tensors in listed order.
 *
 * @param shards the opened files of each group, in the manifest's order
 */
export function readTfjsWeights(
  model: TfjsModel,
  shards: readonly (readonly ByteSource[])[],
  where: string,
): LayerWeights[] {
  const layers = new Map<string, StoredWeight[]>();
  const names = new Set<string>();
  model.groups.forEach((group, i) => {
    const source = new ShardedSource(shards[i] ?? [], `${where}, ${group.paths.join(' + ')}`);
    let offset = 0;
    for (const weight of group.weights) {
      const slash = weight.name.lastIndexOf('/');
      const stored = storedWeight(weight, source, offset, where);
      offset += stored.bytes;
      const layer = slash < 0 ? weight.name : weight.name.slice(0, slash);
      const list = layers.get(layer);
      if (list === undefined) layers.set(layer, [stored.weight]);
      else list.push(stored.weight);
      const name = `${layer}/${stored.weight.name}`;
      if (names.has(name)) throw malformed(where, `${weight.name} is in it twice`);
      names.add(name);
    }
    if (offset > source.size) {
      throw new ConvbaseError(
        'file/truncated',
        `its tensors need ${offset} bytes, ${source.size} are there`,
        {
          where: source.name,
          fix: 'A weight file is missing or cut short: fetch the model again.',
        },
      );
    }
    if (offset < source.size)
      throw malformed(source.name, `${source.size - offset} bytes belong to no tensor`);
  });
  return [...layers].map(([name, weights]) => ({ name, weights }));
}

function storedWeight(
  { name, shape, dtype, quantization }: Weight,
  source: ByteSource,
  offset: number,
  where: string,
): { weight: StoredWeight; bytes: number } {
  const what = `${where}, ${name}`;
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool' && dtype !== 'float16') {
    throw unsupported(
      what,
      `weights of type ${dtype} are not supported`,
      'Convert the model with float32 weights.',
    );
  }
  const type: StoredType = quantization?.dtype ?? dtype;
  const bytes = elementCount(shape, what) * bytesPerElement(type);
  const { scale, min } = quantization ?? {};
  if ((type === 'uint8' || type === 'uint16') && (!Number.isFinite(scale) || !Number.isFinite(min))) {
    throw malformed(what, 'it is quantized without scale and min');
  }
  const affine = type === 'uint8' || type === 'uint16';
  const read = () => {
    const values = toFloat32(source.bytes(offset, bytes), type);
    return affine ? dequantize(values, scale ?? 1, min ?? 0, dtype === 'int32') : values;
  };
  return {
    weight: {
      name: name.slice(name.lastIndexOf('/') + 1).replace(/:\d+$/, ''),
      path: name,
      shape,
      dtype: type,
      read,
    },
    bytes,
  };
}

/** TensorFlow.js' affine quantization: value = stored * scale + min, whole numbers rounded. */
function dequantize(values: Float32Array, scale: number, min: number, whole: boolean): Float32Array {
  for (let i = 0; i < values.length; i++) {
    const value = (values[i] ?? 0) * scale + min;
    values[i] = whole ? Math.round(value) : value;
  }
  return values;
}
