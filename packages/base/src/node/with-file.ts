import { withTidying } from './after-failure.ts';
import { WritableFile } from './file-operations.ts';

/** Opens a file to be written, does some work with it, and closes it. Errors: those of `WritableFile` and of `work`. */
export async function withWritableFile<T>(
  path: string,
  how: Parameters<typeof WritableFile.open>[1],
  work: (file: WritableFile) => Promise<T>,
): Promise<T> {
  const file = await WritableFile.open(path, how);
  return withTidying(
    () => work(file),
    () => file.close(),
  );
}

/** Adds text at the end of a file, which need not exist. */
export async function appendText(path: string, text: string): Promise<void> {
  await withWritableFile(path, 'append', (file) => file.write(Buffer.from(text)));
}
