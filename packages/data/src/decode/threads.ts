/** What libuv starts with unless it is told otherwise, and what it never goes beyond. */
const LIBUV = { usual: 4, most: 1024 };

/**
 * How many threads decode pictures. These are libuv's, and there are as many as the environment variable
 * `UV_THREADPOOL_SIZE` said before the process had its first work for them, else 4. The `convbase` command sets it to
 * the number of cores; a program of your own can be started with it.
 */
export function decodingThreads(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): number {
  const given = Math.trunc(Number(environment['UV_THREADPOOL_SIZE'] ?? LIBUV.usual));
  if (Number.isNaN(given)) return 1;
  return Math.min(LIBUV.most, Math.max(1, given));
}
