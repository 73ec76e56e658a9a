import { ConvbaseError } from '../errors.ts';

/**
 * Tidies up after something went wrong. What the system says while tidying is passed over: on a disk that is full or
 * gone that fails too, and the first error is the one to tell. For `catch` blocks that throw it afterwards.
 */
export async function afterFailure(tidy: () => Promise<unknown>): Promise<void> {
  try {
    await tidy();
  } catch (error) {
    if (!(error instanceof ConvbaseError)) throw error;
  }
}
