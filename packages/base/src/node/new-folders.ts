import { afterFailure } from './after-failure.ts';
import { missingFolders, removeEmptyFolder } from './file-operations.ts';

/**
 * Does work that makes a folder, and those it lies in, where they are missing. Where the work fails, those that were missing
 * and have nothing in them go again.
 */
export async function withNewFolders<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const missing = await missingFolders(folder);
  try {
    return await work();
  } catch (error) {
    await afterFailure(async () => {
      for (const made of missing) if (!(await removeEmptyFolder(made))) return;
    });
    throw error;
  }
}
