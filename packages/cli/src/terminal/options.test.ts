import { describe, expect, it } from 'vitest';
import { namedPath, numberBetween, pictureSize, wholeNumber } from './options.ts';

describe('options', () => {
  it('reads sizes as height x width', () => {
    expect(pictureSize('150')).toEqual([150, 150]);
    expect(pictureSize('150x200')).toEqual([150, 200]);
  });
  it.each(['', '0', '150x', 'x150', '-3', '150x200x3', '1e3', '15 0'])('refuses the size %j', (text) => {
    expect(() => pictureSize(text)).toThrow(/150x200/);
  });
  it.each(['', '-1', '1.5', '0x10', 'ten', '1e400', '99999999999999999999'])(
    'refuses the whole number %j',
    (text) => {
      expect(() => wholeNumber(0)(text)).toThrow(/whole number/);
    },
  );
  it('bounds numbers', () => {
    expect(wholeNumber(1)('20')).toBe(20);
    expect(() => wholeNumber(1)('0')).toThrow();
    expect(numberBetween(0, 1, true)('0')).toBe(0);
    expect(() => numberBetween(0, 1)('0')).toThrow(/above 0/);
    expect(() => numberBetween(0, 1)('1')).toThrow(/below 1/);
    expect(() => numberBetween(0, Infinity)('NaN')).toThrow();
    expect(() => numberBetween(0, Infinity)(' ')).toThrow();
  });
  it('collects NAME=PATH', () => {
    expect(namedPath('b=/x=y', { a: '1' })).toEqual({ a: '1', b: '/x=y' });
    expect(() => namedPath('novalue')).toThrow(/NAME=PATH/);
    expect(() => namedPath('=x')).toThrow(/NAME=PATH/);
  });
});
