import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConvbaseError } from '../errors.ts';
import { AtomicFile, writeFileAtomic } from './atomic-file.ts';
import { fileChecksum } from './checksum.ts';
import { fileError, systemCode } from './file-error.ts';

export interface DownloadProgress {
  readonly receivedBytes: number;
  /** Undefined when the server does not say. */
  readonly totalBytes: number | undefined;
}

export interface DownloadOptions {
  /** Hexadecimal MD5 of the complete file. */
  readonly md5?: string;
  /** Called at most every 100 ms, and once at the end. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  /** How often a broken connection is taken up again before giving up. */
  readonly retries?: number;
  /** Milliseconds before the first retry; each further one waits twice as long. */
  readonly retryDelay?: number;
}

/**
 * Fetches `url` into `path`, which appears only when it is complete and, if `md5` is given, right.
 *
 * An interrupted download (lost connection, Ctrl-C, `signal`) leaves `<path>.partial`; the next call goes on from
 * there with a Range request, provided the server says that the file is still the same (ETag or Last-Modified).
 *
 * Errors: `download/offline`, `download/http`, `download/incomplete`, `download/checksum`, `disk/full`, and the
 * signal's own reason when aborted.
 */
export async function downloadFile(url: string, path: string, options: DownloadOptions = {}): Promise<void> {
  const retries = options.retries ?? 3;
  for (let attempt = 0; ; attempt++) {
    try {
      await downloadOnce(url, path, options);
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      const again = error instanceof ConvbaseError && passing.has(error.code) && attempt < retries;
      if (!again) throw error;
      await sleep((options.retryDelay ?? 1000) * 2 ** attempt, undefined, {
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    }
  }
}

/** Failures that may be gone a moment later. */
const passing = new Set(['download/offline', 'download/incomplete', 'download/busy']);

async function downloadOnce(url: string, path: string, options: DownloadOptions): Promise<void> {
  options.signal?.throwIfAborted();
  const file = await AtomicFile.open(path, { resumable: true });
  const notePath = `${path}.partial.json`;
  try {
    const note = file.size === 0 ? undefined : await readNote(notePath, url);
    if (note === undefined) await file.truncate(0);
    const response = await request(url, path, file.size, note?.validator, options.signal);
    const totalBytes = await placeResponse(response, file, url);
    const validator = response.headers.get('etag') ?? response.headers.get('last-modified');
    // A weak ETag promises no byte-for-byte equality, so it cannot carry a resume.
    if (validator !== null && !validator.startsWith('W/')) {
      await writeFileAtomic(notePath, JSON.stringify({ url, validator }));
    } else {
      await rm(notePath, { force: true });
    }
    await receive(response, file, totalBytes, url, options);
    await checkMd5(file, path, url, notePath, options.md5);
    await file.commit();
    await rm(notePath, { force: true });
  } catch (error) {
    if (error instanceof ConvbaseError && error.code === 'disk/full') {
      await file.abort();
      await rm(file.partialPath, { force: true });
      await rm(notePath, { force: true });
    }
    await file.pause();
    throw error;
  }
}

async function request(
  url: string,
  path: string,
  offset: number,
  validator: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (offset > 0 && validator !== undefined) {
    headers['range'] = `bytes=${offset}-`;
    headers['if-range'] = validator;
  }
  let response: Response;
  try {
    response = await fetch(url, { headers, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    throw offline(url, path, error);
  }
  if (response.ok || response.status === 416) return response;
  await response.body?.cancel();
  const busy = response.status === 429 || response.status >= 500;
  throw new ConvbaseError(
    busy ? 'download/busy' : 'download/http',
    `the server answered ${response.status}`,
    {
      where: url,
      fix: byHand(url, path),
    },
  );
}

/** Sets the file to where this response goes on; returns the bytes that the complete file has. */
async function placeResponse(response: Response, file: AtomicFile, url: string): Promise<number | undefined> {
  if (response.status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
    if (range !== null && Number(range[1]) === file.size)
      return range[2] === '*' ? undefined : Number(range[2]);
  }
  if (response.status === 206 || response.status === 416) {
    // What is here does not fit what the server has: start again.
    await response.body?.cancel();
    await file.truncate(0);
    throw new ConvbaseError(
      'download/incomplete',
      'the server could not go on from where it was broken off',
      {
        where: url,
      },
    );
  }
  await file.truncate(0);
  const length = response.headers.get('content-length');
  const encoded = response.headers.get('content-encoding');
  return length === null || (encoded !== null && encoded !== 'identity') ? undefined : Number(length);
}

async function receive(
  response: Response,
  file: AtomicFile,
  totalBytes: number | undefined,
  url: string,
  options: DownloadOptions,
): Promise<void> {
  let told = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const part = await reader?.read().catch((error: unknown) => {
      options.signal?.throwIfAborted();
      throw incomplete(url, file.size, totalBytes, error);
    });
    if (part?.value === undefined) break;
    try {
      await file.append(part.value);
    } catch (error) {
      await reader?.cancel();
      throw error;
    }
    if (Date.now() - told >= 100) {
      told = Date.now();
      options.onProgress?.({ receivedBytes: file.size, totalBytes });
    }
  }
  if (totalBytes !== undefined && file.size !== totalBytes) throw incomplete(url, file.size, totalBytes);
  options.onProgress?.({ receivedBytes: file.size, totalBytes });
}

async function checkMd5(
  file: AtomicFile,
  path: string,
  url: string,
  notePath: string,
  expected: string | undefined,
): Promise<void> {
  if (expected === undefined) return;
  const actual = await fileChecksum(file.partialPath, 'md5');
  if (actual === expected.toLowerCase()) return;
  await file.abort();
  await rm(notePath, { force: true });
  throw new ConvbaseError('download/checksum', `the MD5 of the download is ${actual}, not ${expected}`, {
    where: url,
    fix: `It was thrown away. Try again; ${byHand(url, path)}`,
  });
}

async function readNote(notePath: string, url: string): Promise<{ validator: string } | undefined> {
  let text: string;
  try {
    text = await readFile(notePath, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw fileError(error, notePath, 'cannot read it');
  }
  const match = /^\{"url":("(?:[^"\\]|\\.)*"),"validator":("(?:[^"\\]|\\.)*")\}$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined || JSON.parse(match[1]) !== url) return undefined;
  return { validator: String(JSON.parse(match[2])) };
}

function offline(url: string, path: string, cause: unknown): ConvbaseError {
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
  return new ConvbaseError('download/offline', `cannot reach the server (${reason})`, {
    where: url,
    fix: `Check the network; ${byHand(url, path)}`,
    cause,
  });
}

function incomplete(
  url: string,
  received: number,
  total: number | undefined,
  cause?: unknown,
): ConvbaseError {
  return new ConvbaseError(
    'download/incomplete',
    `the connection broke after ${received} of ${total ?? '?'} bytes`,
    {
      where: url,
      fix: 'Run again: the download goes on from there.',
      cause,
    },
  );
}

function byHand(url: string, path: string): string {
  return `or download ${url} elsewhere and put it at ${path}`;
}
