import { expect, it } from 'vitest';
import { ageInWords, bytesInWords } from './quantities.ts';

it.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1000, '1.0 kB'],
  [35_363, '35.4 kB'],
  [99_960, '100 kB'],
  [999_600, '1.0 MB'],
  [87_910_968, '87.9 MB'],
  [574_710_816, '575 MB'],
  [2.5e9, '2.5 GB'],
  [7e12, '7.0 TB'],
  [7e16, '70000.0 TB'],
])('%d bytes are %s', (bytes, words) => {
  expect(bytesInWords(bytes)).toBe(words);
});

const minute = 60_000;
const day = 1440 * minute;
it.each([
  [-5, 'just now'],
  [59_999, 'just now'],
  [minute, '1 minute'],
  [119 * minute, '1 hour'],
  [3 * day, '3 days'],
  [29 * day, '29 days'],
  [45 * day, '1 month'],
  [364 * day, '12 months'],
  [800 * day, '2 years'],
])('%d ms ago is %s', (age, words) => {
  expect(ageInWords(age)).toBe(words);
});
