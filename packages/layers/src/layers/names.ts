/** `MaxPooling2D` -> `max_pooling2d`, as Keras' `to_snake_case`. */
export function toSnakeCase(name: string): string {
  return name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** `glorot_uniform`, `GlorotUniform` and `glorotUniform` are one name: the last. */
export function toCamelCase(name: string): string {
  const camel = name.replace(/_+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return camel.charAt(0).toLowerCase() + camel.slice(1);
}

/** What a table holds under a name from outside: nothing for the names that every object knows, as `constructor`. */
export function entryOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Gives out automatic layer names: `conv2d`, `conv2d_1`, .., starting anew like a fresh Keras process. */
export class NameScope {
  readonly #used = new Map<string, number>();

  /** The next free name for a layer class: `unique('Conv2D')` is `conv2d`, then `conv2d_1`. */
  unique(className: string): string {
    const base = toSnakeCase(className);
    const count = this.#used.get(base) ?? 0;
    this.#used.set(base, count + 1);
    return count === 0 ? base : `${base}_${count}`;
  }

  reset(): void {
    this.#used.clear();
  }
}

/** The scope of layers that are given none. */
export const defaultNames = new NameScope();

/** Starts the automatic names of the default scope anew, as `keras.utils.clear_session` does. */
export function resetNames(): void {
  defaultNames.reset();
}
