import type { Layer } from '@convbase/layers';
import { z } from 'zod';

/** `kernel_size` as `kernelSize`. */
type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;
type CamelKeys<T> = { [K in keyof T as K extends string ? Camel<K> : never]: T[K] };

interface Named {
  readonly name: string;
  readonly trainable: boolean;
}

/** A layer class: which options of its Keras config mean something here, how to make it, and how to write it down. */
export interface LayerEntry {
  readonly options: z.ZodObject;
  /** `config` has passed `options`; its keys are camelCase, and `name` and `trainable` are among them. */
  make(config: Record<string, unknown>): Layer;
  /** The options as Keras 3 writes them, without what all layers have (name, trainable, dtype). */
  config(layer: Layer): Record<string, unknown>;
}

/** A row of the table, its three parts held together by their types. */
export function entry<S extends z.ZodRawShape, L extends Layer>(
  shape: S,
  make: (config: CamelKeys<z.output<z.ZodObject<S>>> & Named) => L,
  config: (layer: L) => Record<string, unknown>,
): LayerEntry {
  // The casts hold because `readLayer` builds the config from exactly this schema's output, and `configOf` looks an
  // entry up by the class that `make` makes.
  return {
    options: z.object(shape),
    make: (options) => make(options as CamelKeys<z.output<z.ZodObject<S>>> & Named),
    config: (layer) => config(layer as L),
  };
}
