import { expect, it, vi } from 'vitest';
import { warnOnce } from './warn.ts';

it('warns once of each thing, with nothing in it that steers a terminal', () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue();
  for (const text of ['one\u001b[2J', 'again']) warnOnce('a', text);
  warnOnce('b', 'two');
  expect(warn.mock.calls).toEqual([[expect.stringMatching(/^convbase: one[^\p{Cc}]+$/u)], ['convbase: two']]);
  warn.mockRestore();
});
