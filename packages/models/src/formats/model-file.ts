import type { KerasModelConfig } from './keras-config.ts';
import type { StoredType } from './numbers.ts';

/** One tensor of a layer, not yet read. */
export interface StoredWeight {
  /** The last part of its name without `:0`, such as `kernel`; in Keras 3's stores a number, `0`, `1` .. */
  readonly name: string;
  /** Its full name in the file, for messages. */
  readonly path: string;
  readonly shape: readonly number[];
  readonly dtype: StoredType;
  /** Reads the values as float32, row by row as stored (kernels HWIO or (in, out)). May be a view: copy before writing. */
  read(): Float32Array;
}

/** A layer's weights in the order in which Keras lists them (kernel, bias; gamma, beta, mean, variance). */
export interface LayerWeights {
  /** The layer's Keras name; of a layer inside a nested model `outer/inner`. */
  readonly name: string;
  /** Where Keras 3 stores it, such as `layers/conv2d_3`; only in `.keras` and `.weights.h5`. */
  readonly storePath?: string;
  readonly weights: readonly StoredWeight[];
}

export type ModelFormat =
  | 'keras'
  | 'keras-weights-h5'
  | 'keras-legacy-h5'
  | 'keras-legacy-weights-h5'
  | 'tfjs-layers'
  | 'safetensors';

/** How the layers of a file find those of a model. */
export type Matching =
  /** The n-th layer with weights is the model's n-th: legacy HDF5, where names depend on what ran before. */
  | 'order'
  /** By layer name: tfjs and safetensors, whose tensors may stand in any order. */
  | 'name'
  /** By class and running number among its class, as Keras 3 stores them. */
  | 'store-path';

/** An open model or weight file. Tensors are read one by one when asked for; `close()` it when done. */
export interface ModelFile {
  readonly format: ModelFormat;
  /** The path or name it was opened by. */
  readonly name: string;
  /** The model's own description, where the file carries one: the graph can be rebuilt from it. */
  readonly config: KerasModelConfig | undefined;
  /** In `model.layers` order for `matching: 'order'` and wherever there is a config. */
  readonly layers: readonly LayerWeights[];
  readonly matching: Matching;
  /** The text of a further file in the same archive (`.keras` only); undefined where there is none of that name. */
  textMember?(name: string): string | undefined;
  /** SHA-256 in hex of all its bytes (tfjs: `model.json`, then the shards in manifest order). */
  checksum(): Promise<string>;
  close(): void;
}
