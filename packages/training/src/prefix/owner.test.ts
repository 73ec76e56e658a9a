import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { isAbandoned, nobodysName, ownName } from './owner.ts';

const now = new Date();
const long = new Date(Date.now() - 3_600_000);

test('a folder is abandoned when its process has ended, or said so', () => {
  expect(isAbandoned(ownName(), long)).toBe(false);
  expect(isAbandoned(nobodysName(), now)).toBe(true);
  const { pid } = spawnSync(process.execPath, ['--version']);
  expect(isAbandoned(ownName().replace(`-${process.pid}-`, `-${pid}-`), now)).toBe(true);
});

test('a process of another machine counts as running until nothing has happened for long', () => {
  const elsewhere = ownName().replace(/^\w+/, '00000000');
  expect(isAbandoned(elsewhere, now)).toBe(false);
  expect(isAbandoned(elsewhere, long)).toBe(true);
});

test('names are told apart', () => {
  expect(ownName()).not.toBe(ownName());
});
