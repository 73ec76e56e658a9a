import { isAbsolute, join, posix } from 'node:path';
import { ConvbaseError } from '../errors.ts';

/**
 * Joins a relative path that came from outside (an archive, a manifest, `model.json`) to a folder of ours.
 *
 * `name` uses `/`. Refused with code `file/unsafe-path`: absolute paths, drive letters, backslashes, empty names, NUL
 * bytes and any `..`, so that the result always lies inside `folder`.
 */
export function pathInside(folder: string, name: string): string {
  const parts = name.split('/');
  const unsafe =
    name === '' ||
    isAbsolute(name) ||
    posix.isAbsolute(name) ||
    /^[a-z]:/i.test(name) ||
    name.includes('\\') ||
    name.includes('\0') ||
    parts.includes('..');
  if (unsafe) {
    throw new ConvbaseError(
      'file/unsafe-path',
      `the path ${JSON.stringify(name)} could lead out of its folder`,
      {
        where: folder,
        fix: 'The file that names it is damaged or was made to do harm; get it from its original source.',
      },
    );
  }
  return join(folder, ...parts);
}
