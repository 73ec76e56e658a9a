import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { cacheFolder } from './cache-folder.ts';

const home = join('/', 'home', 'ada');

test.each([
  ['linux', {}, join(home, '.cache', 'convbase')],
  ['linux', { XDG_CACHE_HOME: '/var/x' }, join('/var/x', 'convbase')],
  ['linux', { XDG_CACHE_HOME: '' }, join(home, '.cache', 'convbase')],
  ['darwin', { XDG_CACHE_HOME: '/var/x' }, join(home, 'Library', 'Caches', 'convbase')],
  ['win32', { LOCALAPPDATA: '/l' }, join('/l', 'convbase', 'Cache')],
  ['win32', {}, join(home, 'AppData', 'Local', 'convbase', 'Cache')],
  ['linux', { CONVBASE_CACHE: 'here' }, resolve('here')],
  ['win32', { CONVBASE_CACHE: '', LOCALAPPDATA: '/l' }, join('/l', 'convbase', 'Cache')],
] as const)('on %s with %j the cache is %s', (platform, env, expected) => {
  expect(cacheFolder({ platform, env, home })).toBe(expected);
});
