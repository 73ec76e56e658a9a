type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** The object without the keys whose value is undefined. */
export function given<T extends object>(options: T): Given<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Given<T>;
}
