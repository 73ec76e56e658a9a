import { visible } from './visible.ts';

/** What has been warned of in this process. */
const warnedOf = new Set<string>();

/**
 * Warns that something which would only have helped cannot be used, once for each `thing` and process: who does the same
 * work again, or for the next of many files, has nothing new to say.
 */
export function warnOnce(thing: string, text: string): void {
  if (warnedOf.has(thing)) return;
  warnedOf.add(thing);
  console.warn(visible(`convbase: ${text}`));
}
