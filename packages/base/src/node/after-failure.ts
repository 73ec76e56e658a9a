import { ConvbaseError } from '../errors.ts';
import { systemCode } from './file-error.ts';

/**
 * Tidies up after something went wrong. What the system says while tidying is passed over: on a disk that is full or
 * gone that fails too, and the first error is the one to tell. For `catch` blocks that throw it afterwards.
 */
export async function afterFailure(tidy: () => Promise<unknown>): Promise<void> {
  try {
    await tidy();
  } catch (error) {
    if (!(error instanceof ConvbaseError) && systemCode(error) === undefined) throw error;
  }
}

/**
 * Does some work and tidies up after it (closes a file, gives back a lock), whether it went well or not. Where both go
 * wrong the error of the work is thrown, which a `finally` would hide.
 */
export async function withTidying<T>(work: () => Promise<T>, tidy: () => Promise<unknown>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await afterFailure(tidy);
    throw error;
  }
  await tidy();
  return result;
}

/** Does each of these in turn, whatever becomes of the others; then the first error is thrown. */
export async function doEach(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  const [first, ...rest] = steps;
  if (first !== undefined) await withTidying(first, () => doEach(rest));
}
