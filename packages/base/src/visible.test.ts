import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConvbaseError } from './errors.ts';
import { visible, visibleJson, visibleLine } from './visible.ts';

test('control characters are written as escapes', () => {
  expect(visible('\x1b[31mred\x07\x9b2J\x7f\0')).toBe(String.raw`\x1b[31mred\x07\x9b2J\x7f\x00`);
  expect(visible('a\u202egpj.exe\u2066\u200f\u061c\u2028')).toBe(
    String.raw`a\u202egpj.exe\u2066\u200f\u061c\u2028`,
  );
  expect(visible('\ufeffa\u200bb\u2060\u00ad\u{e0041}')).toBe(String.raw`\ufeffa\u200bb\u2060\xad\u{e0041}`);
  expect(visible('a\ud800b\udc00')).toBe(String.raw`a\ud800b\udc00`);
});

test('lines and tabs of a text stay, those of a name do not', () => {
  expect(visible('one\n\ttwo\r\n')).toBe('one\n\ttwo\\r\n');
  expect(visibleLine('one\n\ttwo\r\n')).toBe(String.raw`one\n\ttwo\r\n`);
});

test('what people write stays as it is', () => {
  for (const text of [
    'C:\\new\\table.jpg, 100 % "quoted" <b>',
    'Überraschung e\u0301 naïve \u00a0',
    '猫と犬, кошки, חתול, قطة',
    '👨‍👩‍👧 👩🏽‍⚕️ 🏴‍☠️ 👁️‍🗨️ 1️⃣ 🇩🇪',
    '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
    'می\u200cخواهم',
    'क्\u200dष',
  ]) {
    expect(visibleLine(text)).toBe(text);
    expect(visibleJson(text)).toBe(JSON.stringify(text));
  }
});

test('joiners without anything to join would make names look alike', () => {
  expect(visibleLine('cats\u200d \u200ccats\u{e007f}')).toBe(String.raw`cats\u200d \u200ccats\u{e007f}`);
});

test('whatever the text, no control character comes out and once is enough', () => {
  fc.assert(
    fc.property(texts, (text) => {
      for (const [show, raw] of [[visible, rawInText] as const, [visibleLine, rawInLine] as const]) {
        const shown = show(text);
        expect(shown).not.toMatch(raw);
        expect(show(shown)).toBe(shown);
      }
      expect(visible(text).split('\n')).toHaveLength(text.split('\n').length);
      const json = visibleJson({ [text]: [text] });
      expect(json).not.toMatch(rawInLine);
      expect(JSON.parse(json)).toEqual({ [text]: [text] });
    }),
    { numRuns: 2000, seed: 1 },
  );
});

test('long texts take time in proportion', () => {
  const started = performance.now();
  for (const part of ['\u200d', '🏴\u{e0067}', 'é\u200d', '\x1b[', '\ud800'])
    visibleLine(part.repeat(500_000));
  expect(performance.now() - started).toBeLessThan(10_000);
});

test('a name in an error begins no line and commands nothing; programs get it as it is', () => {
  const name = 'a\x1b[2J\nerror: all is lost\r';
  const error = new ConvbaseError('file/missing', `no such class: ${name}`, {
    where: name,
    fix: `Not ${name}.`,
  });
  const shown = String.raw`a\x1b[2J\nerror: all is lost\r`;
  expect(error.message).toBe(`${shown}: no such class: ${shown}\n  Not ${shown}.`);
  expect(error.where).toBe(name);
  expect(error.fix).toBe(`Not ${name}.`);
});

test('an error of several lines indents all but the first', () => {
  const error = new ConvbaseError('npm/failed', ['npm failed:', 'npm ERR!\x1b[0m'], {
    fix: ['Try', 'again.'],
  });
  expect(error.message).toBe('npm failed:\n  npm ERR!\\x1b[0m\n  Try\n  again.');
  expect(error.fix).toBe('Try\n  again.');
});

const rawInLine = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const rawInText = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

/** Any code units at all, and the places where it matters which stand beside each other. */
const texts = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xa0 }),
      fc.integer({ min: 0x2000, max: 0x2070 }),
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0xd800, max: 0xdfff }),
      fc.integer({ min: 0x1f300, max: 0x1f600 }),
      fc.integer({ min: 0xe0000, max: 0xe007f }),
      fc.constantFrom(0x200d, 0x1f3f4),
    ),
    { maxLength: 12 },
  )
  .map((codes) => String.fromCodePoint(...codes));
