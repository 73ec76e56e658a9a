/** How Keras 3 writes down an object of its own (`keras.saving.serialize_keras_object`). */
export interface KerasObject {
  readonly module: string;
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly registered_name: string | null;
}

/** @param module where Keras finds the class: `keras.layers`, `keras.initializers` .. */
export function kerasObject(
  module: string,
  className: string,
  config: Readonly<Record<string, unknown>>,
  registeredName: string | null = null,
): KerasObject {
  return { module, class_name: className, config, registered_name: registeredName };
}

export function isKerasObject(value: unknown): value is KerasObject {
  return typeof value === 'object' && value !== null && 'module' in value && 'class_name' in value;
}
