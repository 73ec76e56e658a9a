import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { cacheFolder, homeFolder } from './cache-folder.ts';

const home = join('/', 'home', 'ada');

test.each([
  ['linux', {}, join(home, '.cache', 'convbase')],
  ['linux', { XDG_CACHE_HOME: '/var/x' }, join('/var/x', 'convbase')],
  ['linux', { XDG_CACHE_HOME: '' }, join(home, '.cache', 'convbase')],
  ['linux', { XDG_CACHE_HOME: 'here' }, join(home, '.cache', 'convbase')],
  ['darwin', { XDG_CACHE_HOME: '/var/x' }, join(home, 'Library', 'Caches', 'convbase')],
  ['win32', { LOCALAPPDATA: '/l' }, join('/l', 'convbase', 'Cache')],
  ['win32', {}, join(home, 'AppData', 'Local', 'convbase', 'Cache')],
  ['linux', { CONVBASE_CACHE: 'here' }, resolve('here')],
  ['win32', { CONVBASE_CACHE: '', LOCALAPPDATA: '/l' }, join('/l', 'convbase', 'Cache')],
] as const)('on %s with %j the cache is %s', (platform, env, expected) => {
  expect(cacheFolder({ platform, env, home })).toBe(expected);
});

test('without a home folder it is said what to set; what is set needs none', () => {
  const surroundings = { platform: 'linux', home: undefined } as const;
  expect(() => cacheFolder({ ...surroundings, env: {} })).toThrow(/^nobody knows the home folder/);
  expect(cacheFolder({ ...surroundings, env: { XDG_CACHE_HOME: '/x' } })).toBe(join('/x', 'convbase'));
  expect(cacheFolder({ ...surroundings, env: { CONVBASE_CACHE: '/c' } })).toBe(resolve('/c'));
});

test.skipIf(process.platform === 'win32').each(['', 'relative', '/proc/nope', undefined])(
  'with HOME %j the home folder is an absolute path',
  (home) => {
    vi.stubEnv('HOME', home);
    expect(homeFolder()).toBe(home === '/proc/nope' ? home : userInfo().homedir);
  },
);

afterEach(() => {
  vi.unstubAllEnvs();
});
