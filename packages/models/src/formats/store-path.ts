/**
 * How Keras 3 addresses a layer in a weight store: by class and running number among its class, not by name,
 * because automatic names depend on what else was built in the process (`saving_lib._save_container_state`).
 */

/** `MaxPooling2D` to `max_pooling2d`, `ReLU` to `re_lu`: Keras' `naming.to_snake_case`. */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** The store names of a list of layers, in order: `conv2d`, `conv2d_1`, `dense` .. */
export function storeNames(classNames: readonly string[]): string[] {
  const used = new Map<string, number>();
  return classNames.map((className) => {
    const name = snakeCase(className);
    const count = used.get(name) ?? 0;
    used.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  });
}
