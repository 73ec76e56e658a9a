import { ConvbaseError } from '../errors.ts';

const explanations: Record<string, readonly [code: string, what: string, fix?: string]> = {
  ENOSPC: [
    'disk/full',
    'the disk is full',
    'Free some space, or choose a folder on another disk, and run again.',
  ],
  EDQUOT: ['disk/full', 'your disk quota is used up', 'Free some space and run again.'],
  EFBIG: ['disk/full', 'the file is larger than this file system or limit allows', 'Choose another disk.'],
  ENOENT: ['file/missing', 'no such file or folder', 'Check the path.'],
  ENOTDIR: ['file/kind', 'not a folder', 'Check the path.'],
  EISDIR: ['file/kind', 'a folder where a file is needed', 'Check the path.'],
  EEXIST: [
    'file/exists',
    'a file of that name, or of one of its folders, is in the way',
    'Move it or choose another name.',
  ],
  EACCES: ['file/denied', 'permission denied', 'Check who owns it and what you may do with it.'],
  EPERM: ['file/denied', 'permission denied', 'Check who owns it and what you may do with it.'],
  EROFS: ['file/denied', 'the file system is read-only', 'Choose another folder.'],
  EMFILE: ['file/too-many-open', 'too many open files', 'Raise the limit (ulimit -n).'],
};

/** The `code` of a Node system error (`'ENOENT'`), if it is one. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Turns what Node's file functions throw into a ConvbaseError that names the file, so that
 * `catch (error) { throw fileError(error, path, 'cannot read it'); }` is all that a caller needs.
 *
 * Codes: `disk/full`, `file/missing`, `file/denied`, `file/kind`, `file/exists`, `file/too-many-open`, `file/io`.
 * A ConvbaseError passes through unchanged, and so does an AbortError.
 */
export function fileError(error: unknown, path: string, doing: string): Error {
  if (error instanceof ConvbaseError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  const [code, what, fix] = explanations[systemCode(error) ?? ''] ?? [
    'file/io',
    error instanceof Error ? error.message : String(error),
  ];
  return new ConvbaseError(code, `${doing}: ${what}`, {
    where: path,
    cause: error,
    ...(fix === undefined ? {} : { fix }),
  });
}
