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
  ENOTDIR: ['file/kind', 'something in its path is not a folder', 'Check the path.'],
  EISDIR: ['file/kind', 'a folder where a file is needed', 'Check the path.'],
  EEXIST: [
    'file/exists',
    'a file of that name, or of one of its folders, is in the way',
    'Move it or choose another name.',
  ],
  ENOTEMPTY: ['file/exists', 'a folder of that name with something in it is in the way', 'Move it away.'],
  EACCES: ['file/denied', 'permission denied', 'Check who owns it and what you may do with it.'],
  EPERM: ['file/denied', 'permission denied', 'Check who owns it and what you may do with it.'],
  EROFS: ['file/read-only', 'the file system is read-only', 'Choose another folder.'],
  EMFILE: ['file/too-many-open', 'this process has too many files open', 'Raise the limit (ulimit -n).'],
  ENFILE: ['file/too-many-open', 'the system has too many files open', 'Close other programs.'],
  ENAMETOOLONG: ['file/name', 'the name or the path is too long', 'Choose a shorter one.'],
  ELOOP: ['file/link', 'a link in its path leads in a circle, or is not followed here', 'Check the links.'],
  EXDEV: ['file/kind', 'it lies on another file system', 'Choose a folder on one file system.'],
  EBUSY: ['file/busy', 'another program is using it', 'Close that program, and run again.'],
  ETXTBSY: ['file/busy', 'another program is using it', 'Close that program, and run again.'],
  EIO: ['file/io', 'the disk or the network it lies on reports an error', 'Check the disk; try another one.'],
  ESTALE: ['file/io', 'the network folder it lies in is gone or was replaced', 'Mount it again.'],
  ENXIO: ['file/kind', 'a device or pipe that nothing is behind', 'Check the path.'],
  ENODEV: ['file/kind', 'a device that is not there', 'Check the path.'],
  EINVAL: ['file/name', 'the system does not take this name or place', 'Choose another one.'],
  ERR_INVALID_ARG_VALUE: ['file/name', 'no file can have this name', 'Choose another one.'],
  ERR_FS_FILE_TOO_LARGE: ['file/too-large', 'larger than can be read at once', 'Check the path.'],
  ENOMEM: ['memory/host', 'the system has no memory left', 'Close other programs, and run again.'],
};

/** Node puts U+FFFD in place of bytes that are no UTF-8, and nothing is found under the name that it makes of them. */
const notUtf8 = [
  'file/missing',
  'no such file or folder, or its name is not UTF-8',
  'Check the path; give the file a name in UTF-8.',
] as const;

/** The `code` of a Node system error (`'ENOENT'`), if it is one. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The system's code behind an error of ours. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof ConvbaseError ? systemCode(error.cause) : systemCode(error);
}

/**
 * Turns what Node's file functions throw into a ConvbaseError that names the file, so that
 * `catch (error) { throw fileError(error, path, 'cannot read it'); }` is all that a caller needs.
 *
 * The README has the table of codes. A ConvbaseError passes through unchanged, and so does an AbortError. What is no error of the system is a fault in the program, and passes through as well.
 */
export function fileError(error: unknown, path: string, doing: string): Error {
  if (error instanceof ConvbaseError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  if (error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd') {
    return new ConvbaseError('file/missing', 'the folder that this program was started in is gone', {
      fix: 'Change into one that is there, and run again.',
      cause: error,
    });
  }
  const known =
    systemCode(error) === 'ENOENT' && path.includes('\ufffd')
      ? notUtf8
      : explanations[systemCode(error) ?? ''];
  if (known === undefined && !isSystemError(error)) return asError(error);
  const [code, what, fix] = known ?? ['file/io', asError(error).message];
  return new ConvbaseError(code, `${doing}: ${what}`, {
    where: path,
    cause: error,
    ...(fix === undefined ? {} : { fix }),
  });
}

/**
 * The same for an error that nobody who knew the file has told: it is named as the system names it. Other errors pass
 * through.
 */
export function systemError(error: unknown): Error {
  if (!(error instanceof Error) || !isSystemError(error)) return asError(error);
  const { path, syscall } = error as NodeJS.ErrnoException;
  return fileError(error, path ?? syscall ?? '', 'the system refuses it');
}

/** Whether the system said it: Node gives such errors the system's number. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'errno' in error;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
