import { codeOf } from './file-error.ts';
import { link } from './file-operations.ts';

/** Some file systems (FAT, network folders) know no second names. */
const UNSUPPORTED = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP'];

/**
 * Gives a file a second name, which the system does for one process only, and never in place of something that has the
 * name. Errors: those of `fileError` but for the two that the answer tells.
 */
export async function giveSecondName(from: string, to: string): Promise<'given' | 'taken' | 'unsupported'> {
  try {
    await link(from, to);
    return 'given';
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code === 'EEXIST') return 'taken';
    if (UNSUPPORTED.includes(code)) return 'unsupported';
    throw error;
  }
}
