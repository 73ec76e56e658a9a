import { expect, test } from 'vitest';
import { ConvbaseError, shortened } from './errors.ts';

test('a message says where, what, and what to do', () => {
  const error = new ConvbaseError('file/odd', 'it is odd', { where: 'a.txt', fix: 'Look.' });
  expect(error).toMatchObject({ code: 'file/odd', where: 'a.txt', fix: 'Look.', name: 'ConvbaseError' });
  expect(error.message).toBe('a.txt: it is odd\n  Look.');
});

test('no part of a message is longer than a person reads', () => {
  const long = `start ${'x'.repeat(5_000_000)} end`;
  const error = new ConvbaseError('file/odd', long, { where: long, fix: long });
  expect(error.message.length).toBeLessThan(6500);
  for (const text of [error.where ?? '', error.fix ?? '', error.message.split(': ')[1] ?? '']) {
    expect(text).toMatch(/^start x+ \[\.\. 4998010 characters \.\.\] x+ end/);
  }
});

test('what is short stays, what is cut is cut between characters', () => {
  expect(shortened('x'.repeat(2000))).toBe('x'.repeat(2000));
  for (const before of ['', 'x']) {
    const cut = shortened(before + '\u{1f408}'.repeat(4000));
    expect(cut).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/);
  }
});

test('an error within a place says all that it said before', () => {
  const error = new ConvbaseError('a/b', ['it is', 'odd'], { where: 'layer d', fix: ['Look.', 'Wait.'] });
  expect(error.within('m.keras')).toEqual(
    new ConvbaseError('a/b', ['it is', 'odd'], { where: 'm.keras, layer d', fix: ['Look.', 'Wait.'] }),
  );
  expect(new ConvbaseError('a/b', 'odd').within('m.keras').message).toBe('m.keras: odd');
});
