import { expect, test } from 'vitest';
import { withoutCredentials } from './credentials.ts';
import { ConvbaseError } from './errors.ts';

test.each([
  ['http://u:pw@host/', 'http://***@host/'],
  ['http://u:p@w@host/a and https://token@b:1/?q', 'http://***@host/a and https://***@b:1/?q'],
  ['https://host/@scope/name', 'https://host/@scope/name'],
  ['https://host?mail=a@b', 'https://host?mail=a@b'],
  ['vgg16@1.2.3', 'vgg16@1.2.3'],
])('%s is shown as %s', (text, shown) => {
  expect(withoutCredentials(text)).toBe(shown);
});

test('no part of an error shows a password', () => {
  const address = 'http://user:secret@host/w.h5';
  const error = new ConvbaseError('a/b', ['cannot', address], { where: address, fix: [`fetch ${address}`] });
  expect([error.message, error.where, error.fix, error.stack].join()).not.toMatch(/user|secret/);
  expect(error.where).toBe('http://***@host/w.h5');
});

test('takes time in proportion to the text', () => {
  const started = performance.now();
  withoutCredentials('://'.repeat(300_000) + ':'.repeat(300_000));
  expect(performance.now() - started).toBeLessThan(2000);
});
