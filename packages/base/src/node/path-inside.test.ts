import { join, resolve, sep } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pathInside } from './path-inside.ts';

test('an ordinary relative path is joined', () => {
  expect(pathInside('/cache', 'package/data/a.bin')).toBe(join('/cache', 'package', 'data', 'a.bin'));
});

test.each(['', '/etc/passwd', '../x', 'a/../../x', 'a/..', 'C:\\x', 'c:x', 'a\\..\\x', 'a\0b'])(
  '%j is refused',
  (name) => {
    expect(() => pathInside('/cache', name)).toThrow(expect.objectContaining({ code: 'file/unsafe-path' }));
  },
);

test('whatever is accepted lies inside', () => {
  const parts = fc.constantFrom('..', '.', 'a', '/', '\\', 'C:', '', ' ', '%2e%2e', '...');
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 8 }), fc.constantFrom('/', '\\', ''), (names, separator) => {
      let path: string;
      try {
        path = pathInside('/cache', names.join(separator));
      } catch {
        return;
      }
      expect(`${resolve(path)}${sep}`.startsWith(`${resolve('/cache')}${sep}`)).toBe(true);
    }),
  );
});
