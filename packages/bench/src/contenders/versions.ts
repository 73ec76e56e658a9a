import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Versions of installed packages, from their own package.json. */
export function versionsOf(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => [name, (require(`${name}/package.json`) as { version: string }).version]),
  );
}
