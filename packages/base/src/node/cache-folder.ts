import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** What the choice of a cache folder depends on; given by tests, otherwise read from the process. */
export interface CacheSurroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/**
 * The folder where convbase keeps what can be fetched again: weights, npm packages, the software driver.
 *
 * `CONVBASE_CACHE` if set, else the platform's own place: `$XDG_CACHE_HOME/convbase` or `~/.cache/convbase`,
 * `~/Library/Caches/convbase` on macOS, `%LOCALAPPDATA%\convbase\Cache` on Windows. The folder need not exist yet.
 */
export function cacheFolder(
  surroundings: CacheSurroundings = { platform: process.platform, env: process.env, home: homedir() },
): string {
  const { platform, env, home } = surroundings;
  const chosen = env['CONVBASE_CACHE'];
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'convbase');
  if (platform === 'win32')
    return join(env['LOCALAPPDATA'] || join(home, 'AppData', 'Local'), 'convbase', 'Cache');
  return join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'convbase');
}
