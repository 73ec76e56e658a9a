import { setTimeout as sleep } from 'node:timers/promises';
import { ConvbaseError } from '../errors.ts';
import { afterFailure, withTidying } from './after-failure.ts';
import { AtomicFile } from './atomic-file.ts';
import { fileChecksum } from './checksum.ts';
import { isFile, removeFile, statusOf } from './file-operations.ts';
import { notePath, readNote, writeNote, type DownloadNote } from './download-note.ts';
import { HttpAnswer } from './http-answer.ts';
import { withLock } from './lock.ts';
import { HARMLESS } from './tidy.ts';

export interface DownloadProgress {
  readonly receivedBytes: number;
  /** Undefined when the server does not say. */
  readonly totalBytes: number | undefined;
}

export interface DownloadOptions {
  /** Hexadecimal MD5 of the complete file. */
  readonly md5?: string;
  /** No file is larger: nothing is taken of what is, and nothing beyond it written. Default 8 GiB. */
  readonly maxBytes?: number;
  /** Called at most every 100 ms, and once at the end. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Told, once, which process is downloading the same file and is waited for. */
  readonly onWait?: (holder: string) => void;
  readonly signal?: AbortSignal;
  /** How often a broken connection is taken up again before giving up. Default 3. */
  readonly retries?: number;
  /** Milliseconds before the first retry; each further one waits twice as long. Default 1000. */
  readonly retryDelay?: number;
  /** Milliseconds without a byte after which a connection counts as broken. Default 60,000. */
  readonly stallTimeout?: number;
  /** Bytes per second that come at least, on an average over each `stallTimeout`. Default 1024. */
  readonly leastRate?: number;
}

/** Larger than any model or data set that is one file. */
const MAX_BYTES = 8 * 2 ** 30;

/**
 * Fetches `url` into `path`, which appears only when it is complete and, if `md5` is given, right.
 *
 * Of several processes that want the same file one downloads it (`<path>.lock` says which), and the others wait. A file
 * with the right MD5 that is there already is left as it is; so is, without `md5`, one that another process put there
 * meanwhile. Any other file is replaced by what is downloaded: without `md5` nobody can say whether it is right.
 *
 * An interrupted download (lost connection, Ctrl-C, `signal`, a kill) leaves `<path>.partial`; the next call goes on from
 * there with a Range request, provided the server says that the file is still the same (ETag or Last-Modified).
 *
 * @throws ConvbaseError `download/address` (no web address, or one with a password), `download/offline`, `download/stalled`, `download/busy`, `download/http`, `download/redirect`,
 * `download/incomplete`, `download/web-page` (a login page in place of the file), `download/too-large`,
 * `download/checksum`, `disk/full`, `file/..`; the signal's own reason when aborted
 */
export async function downloadFile(url: string, path: string, options: DownloadOptions = {}): Promise<void> {
  const { md5, signal, onWait = () => undefined } = options;
  signal?.throwIfAborted();
  const before = await statusOf(path);
  const lock = { onWait, heartbeat: true, ...(signal && { signal }) };
  await withLock(lockPath(path), path, lock, async () => {
    const now = await statusOf(path);
    const isNew = now?.ino !== before?.ino || now?.mtimeMs !== before?.mtimeMs;
    const isDone = now?.isFile() === true && (md5 === undefined ? isNew : await hasMd5(path, md5, signal));
    if (isDone) await removePartial(path);
    else await downloadPatiently(url, path, options);
  });
}

/**
 * Removes what a download of a file that is there, and known to be right, left when its process was killed at the very
 * end. Leaves what belongs to a process that is at work.
 */
export async function tidyDownload(path: string): Promise<void> {
  const rests = [partialPath(path), notePath(path), lockPath(path)];
  const found = await Promise.all(rests.map(isFile));
  if (!found.includes(true)) return;
  try {
    await withLock(lockPath(path), path, { heartbeat: true }, () => removePartial(path));
  } catch (error) {
    if (!(error instanceof ConvbaseError && HARMLESS.has(error.code))) throw error;
  }
}

function partialPath(path: string): string {
  return `${path}.partial`;
}

function lockPath(path: string): string {
  return `${path}.lock`;
}

async function removePartial(path: string): Promise<void> {
  await removeFile(partialPath(path));
  await removeFile(notePath(path));
}

async function hasMd5(path: string, md5: string, signal: AbortSignal | undefined): Promise<boolean> {
  return (await fileChecksum(path, 'md5', { signal })) === md5.toLowerCase();
}

/** Failures that may be gone a moment later. */
const passing = new Set(['download/offline', 'download/stalled', 'download/incomplete', 'download/busy']);

async function downloadPatiently(url: string, path: string, options: DownloadOptions): Promise<void> {
  const { signal, retries = 3, retryDelay = 1000 } = options;
  for (let attempt = 0; ; attempt++) {
    try {
      await downloadOnce(url, path, options);
      return;
    } catch (error) {
      signal?.throwIfAborted();
      const again = error instanceof ConvbaseError && passing.has(error.code) && attempt < retries;
      if (!again) throw error;
      await sleep(retryDelay * 2 ** attempt, undefined, signal && { signal }).catch((stopped: unknown) => {
        signal?.throwIfAborted();
        throw stopped;
      });
    }
  }
}

/** Failures after which the part that is here is of no use, or in the way. */
const spoiling = new Set(['disk/full', 'download/too-large', 'download/checksum']);

async function downloadOnce(url: string, path: string, options: DownloadOptions): Promise<void> {
  options.signal?.throwIfAborted();
  const file = await AtomicFile.open(path, { resumable: true });
  try {
    await fetchRest(url, file, options);
    await checkMd5(file, url, options);
    await file.commit();
  } catch (error) {
    const isSpoilt = error instanceof ConvbaseError && spoiling.has(error.code);
    await afterFailure(() => file.pause());
    if (isSpoilt || file.size === 0) await afterFailure(() => removePartial(path));
    throw error;
  }
  await removeFile(notePath(path));
}

/** Fetches what is missing of the file; all of it where what is here is not the beginning of what the server has. */
async function fetchRest(url: string, file: AtomicFile, options: DownloadOptions): Promise<void> {
  const { path } = file;
  const { signal, stallTimeout = 60_000, leastRate = 1024 } = options;
  const note = file.size === 0 ? undefined : await readNote(path, url);
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (note !== undefined) {
    headers['range'] = `bytes=${file.size}-`;
    headers['if-range'] = note.validator;
  }
  const fix = `Check the network; ${byHand(url, path)}`;
  const answer = await HttpAnswer.get(url, { headers, stallTimeout, leastRate, fix, signal });
  const take = async (): Promise<void> => {
    const isWhole = note !== undefined && answer.status === 416 && sizeOf(answer) === file.size;
    if (isWhole) options.onProgress?.({ receivedBytes: file.size, totalBytes: file.size });
    else await receive(answer, file, url, note, options);
  };
  await withTidying(take, () => answer.cancel());
}

/** Puts an answer's bytes where they belong, once it is clear what they are. */
async function receive(
  answer: HttpAnswer,
  file: AtomicFile,
  url: string,
  note: DownloadNote | undefined,
  options: DownloadOptions,
): Promise<void> {
  const { onProgress, maxBytes = MAX_BYTES } = options;
  const { totalBytes, end = Infinity } = await extentOf(answer, file, url, note);
  if ((totalBytes ?? 0) > maxBytes) throw tooLarge(url, maxBytes, `has ${String(totalBytes)} bytes`);
  const broken = (error: unknown): never => {
    options.signal?.throwIfAborted();
    throw error instanceof ConvbaseError ? error : incomplete(url, file.size, totalBytes, error);
  };
  let piece = await answer.next().catch(broken);
  if (answer.status === 200) {
    if (piece !== undefined && isWebPage(piece, file.path)) throw webPage(url, file.path);
    // Only now: what is here may be most of the file, and this have been a page of the network on the way.
    if (file.size > 0) await file.truncate(0);
    await noteAnswer(answer, file.path, url, totalBytes);
  }
  let told = 0;
  for (; piece !== undefined; piece = await answer.next().catch(broken)) {
    const size = file.size + piece.byteLength;
    if (size > end) return startAgain(file, url);
    if (size > maxBytes) throw tooLarge(url, maxBytes, 'goes on and on');
    await file.append(piece);
    if (Date.now() - told < 100) continue;
    told = Date.now();
    onProgress?.({ receivedBytes: file.size, totalBytes });
  }
  if (totalBytes !== undefined && file.size !== totalBytes) throw incomplete(url, file.size, totalBytes);
  onProgress?.({ receivedBytes: file.size, totalBytes });
}

/** How many bytes the complete file has, and where in it an answer ends, as far as the server says. */
interface Extent {
  readonly totalBytes: number | undefined;
  readonly end?: number | undefined;
}

/** Checks that an answer begins where the file ends, or at the beginning. */
async function extentOf(
  answer: HttpAnswer,
  file: AtomicFile,
  url: string,
  note: DownloadNote | undefined,
): Promise<Extent> {
  if (answer.status === 200) {
    const length = answer.header('content-length');
    return { totalBytes: length === null || answer.isEncoded ? undefined : Number(length) };
  }
  if (answer.status !== 206 && answer.status !== 416) throw refused(answer, url, file.path);
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(answer.header('content-range') ?? '');
  if (answer.status === 206 && note !== undefined && range !== null && !answer.isEncoded) {
    const [, from, last, total] = range;
    const end = Number(last) + 1;
    const totalBytes = total === '*' ? note.totalBytes : Number(total);
    const fits = Number(from) === file.size && end > file.size && end <= (totalBytes ?? Infinity);
    if (fits && (note.totalBytes ?? totalBytes) === totalBytes) return { totalBytes, end };
  }
  return startAgain(file, url);
}

/** Throws away what is here, which does not fit what the server has, and says that it is to be tried again. */
async function startAgain(file: AtomicFile, url: string): Promise<never> {
  await file.truncate(0);
  const what = 'the server could not go on from where it was broken off';
  throw new ConvbaseError('download/incomplete', what, { where: url });
}

/** The size in the answer to a range that begins behind the end. */
function sizeOf(answer: HttpAnswer): number | undefined {
  const size = /^bytes \*\/(\d{1,15})$/.exec(answer.header('content-range') ?? '')?.[1];
  return size === undefined ? undefined : Number(size);
}

/** Remembers by what the server knows the file again, if it can go on in the middle of it. */
async function noteAnswer(
  answer: HttpAnswer,
  path: string,
  url: string,
  totalBytes: number | undefined,
): Promise<void> {
  const validator = answer.header('etag') ?? answer.header('last-modified');
  // A weak ETag promises no byte-for-byte equality, so it cannot carry a resume.
  if (validator === null || validator.startsWith('W/') || answer.isEncoded) await removeFile(notePath(path));
  else await writeNote(path, { url, validator, totalBytes });
}

async function checkMd5(file: AtomicFile, url: string, { md5, signal }: DownloadOptions): Promise<void> {
  if (md5 === undefined) return;
  const actual = await fileChecksum(file.partialPath, 'md5', { signal });
  if (actual === md5.toLowerCase()) return;
  const what = `the MD5 of the download (${file.size} bytes) is ${actual}, not ${md5}`;
  throw new ConvbaseError('download/checksum', what, {
    where: url,
    fix: `It was thrown away. Try again; ${byHand(url, file.path)}`,
  });
}

function isWebPage(beginning: Uint8Array, path: string): boolean {
  if (/\.html?$/i.test(path)) return false;
  return /^\ufeff?\s*<(!doctype\s+html|html)\b/i.test(new TextDecoder().decode(beginning.subarray(0, 512)));
}

function webPage(url: string, path: string): ConvbaseError {
  return new ConvbaseError('download/web-page', 'the answer is a web page, not the file', {
    where: url,
    fix: `Where the network wants a login, log in with a browser and run again; ${byHand(url, path)}`,
  });
}

function refused({ status }: HttpAnswer, url: string, path: string): ConvbaseError {
  const code = status === 429 || status >= 500 ? 'download/busy' : 'download/http';
  return new ConvbaseError(code, `the server answered ${status}`, { where: url, fix: byHand(url, path) });
}

function tooLarge(url: string, maxBytes: number, what: string): ConvbaseError {
  return new ConvbaseError('download/too-large', `it ${what}, at most ${maxBytes} make sense`, {
    where: url,
    fix: 'It is not the file that is wanted, and was thrown away. Check the address, and any proxy between.',
  });
}

function incomplete(
  url: string,
  received: number,
  total: number | undefined,
  cause?: unknown,
): ConvbaseError {
  const what = `the connection broke after ${received} of ${total ?? '?'} bytes`;
  const fix = 'Run again: the download goes on from there.';
  return new ConvbaseError('download/incomplete', what, { where: url, fix, cause });
}

function byHand(url: string, path: string): string {
  return `or download ${url} elsewhere and put it at ${path}`;
}
