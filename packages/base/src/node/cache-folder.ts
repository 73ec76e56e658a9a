import { homedir, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { ConvbaseError } from '../errors.ts';

/** What the choice of a cache folder depends on; given by tests, otherwise read from the process. */
export interface CacheSurroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Undefined where nobody knows it. */
  readonly home: string | undefined;
}

/**
 * The folder where convbase keeps what can be fetched again: weights, npm packages, the software driver.
 *
 * `CONVBASE_CACHE` if set, else the platform's own place: `$XDG_CACHE_HOME/convbase` or `~/.cache/convbase`,
 * `~/Library/Caches/convbase` on macOS, `%LOCALAPPDATA%\convbase\Cache` on Windows. The folder need not exist yet. Of
 * these variables only `CONVBASE_CACHE` may be a relative path: others are read by all programs, wherever they run.
 *
 * @throws ConvbaseError `cache/home` where none is set and the home folder is not known
 */
export function cacheFolder(
  surroundings: CacheSurroundings = {
    platform: process.platform,
    env: process.env,
    home: homeFolder(),
  },
): string {
  const { platform, env, home } = surroundings;
  const chosen = env['CONVBASE_CACHE'];
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  if (platform === 'darwin') return join(known(home), 'Library', 'Caches', 'convbase');
  if (platform === 'win32')
    return join(absolute(env['LOCALAPPDATA']) ?? join(known(home), 'AppData', 'Local'), 'convbase', 'Cache');
  return join(absolute(env['XDG_CACHE_HOME']) ?? join(known(home), '.cache'), 'convbase');
}

/**
 * The user's home folder: `HOME` where that is an absolute path, else what the system's list of users says; undefined
 * where neither is there.
 */
export function homeFolder(): string | undefined {
  for (const ask of [homedir, () => userInfo().homedir]) {
    try {
      const home = absolute(ask());
      if (home !== undefined) return home;
    } catch {
      // The system's list has no user of this number, as often in a container.
    }
  }
  return undefined;
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

function known(home: string | undefined): string {
  if (home !== undefined) return home;
  throw new ConvbaseError('cache/home', 'nobody knows the home folder that the cache would lie in', {
    fix: 'Set HOME to your home folder, or CONVBASE_CACHE to a folder for the cache.',
  });
}
