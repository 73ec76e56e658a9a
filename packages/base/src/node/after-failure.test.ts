import { expect, test } from 'vitest';
import { ConvbaseError } from '../errors.ts';
import { doEach, withTidying } from './after-failure.ts';

const fails = (code: string) => () => Promise.reject(new ConvbaseError(code, 'it failed'));

test('the error of the work is told, not that of tidying up after it', async () => {
  await expect(withTidying(fails('work'), fails('tidying'))).rejects.toMatchObject({ code: 'work' });
  const closing = (): Promise<never> => Promise.reject(Object.assign(new Error('close'), { code: 'EIO' }));
  await expect(withTidying(fails('work'), closing)).rejects.toMatchObject({ code: 'work' });
});

test('after work that went well the error of tidying up is told', async () => {
  await expect(withTidying(() => Promise.resolve(1), fails('tidying'))).rejects.toMatchObject({
    code: 'tidying',
  });
  expect(
    await withTidying(
      () => Promise.resolve(1),
      () => Promise.resolve(),
    ),
  ).toBe(1);
});

test('a fault of the program is not passed over', async () => {
  const fault = new TypeError('a fault');
  await expect(withTidying(fails('work'), () => Promise.reject(fault))).rejects.toBe(fault);
});

test('each step is done, whatever becomes of the others, and the first error is told', async () => {
  const done: number[] = [];
  const step = (number: number, code?: string) => async () => {
    done.push(number);
    if (code !== undefined) await fails(code)();
  };
  await expect(doEach([step(1), step(2, 'second'), step(3, 'third'), step(4)])).rejects.toMatchObject({
    code: 'second',
  });
  expect(done).toEqual([1, 2, 3, 4]);
});
