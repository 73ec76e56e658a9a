import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PictureError } from '../decode/picture-error.ts';
import { imageFolder } from './image-folder.ts';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures', 'decode');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-folder-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function files(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), '');
  }
}

test('classes and files are sorted by code unit, sub-folders come after their own place, other files are passed over', async () => {
  await files(
    'dogs/b.jpg',
    'dogs/a.PNG',
    'dogs/notes.txt',
    'dogs/.hidden.jpg',
    'dogs/x/1.webp',
    'dogs/x-y/0.bmp',
  );
  await files(
    'Cats/é.jpeg',
    'Cats/z.jpg',
    'Cats/with space.jpg',
    'Cats/10.jpg',
    'Cats/9.jpg',
    '.git/x.jpg',
    'top.jpg',
  );
  const set = await imageFolder(folder);
  expect(set.classNames).toEqual(['Cats', 'dogs']);
  const expected = ['Cats/10.jpg', 'Cats/9.jpg', 'Cats/with space.jpg', 'Cats/z.jpg', 'Cats/é.jpeg'];
  expected.push('dogs/a.PNG', 'dogs/b.jpg', 'dogs/x-y/0.bmp', 'dogs/x/1.webp');
  expect(set.files).toEqual(expected);
  expect(Array.from({ length: set.length }, (_, i) => set.label(i))).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1]);
  expect(set.name(5)).toBe(join(folder, 'dogs', 'a.PNG'));
  expect(() => set.name(9)).toThrow(RangeError);
});

test('pictures are decoded when asked for, links are followed', async () => {
  await files('b/x.jpg');
  await symlink(fixtures, join(folder, 'a'), 'junction');
  const set = await imageFolder(folder);
  expect(set.classNames).toEqual(['a', 'b']);
  const index = set.files.indexOf('a/rgb.png');
  expect(await set.picture(index)).toMatchObject({ width: 37, height: 29 });
  await expect(set.picture(set.length - 1)).rejects.toMatchObject({
    code: 'picture/empty',
    where: join(folder, 'b', 'x.jpg'),
  });
});

test('no folder, no classes, one class, an empty class: each is said with the folder and what to do', async () => {
  const missing = join(folder, 'missing');
  await expect(imageFolder(missing)).rejects.toMatchObject({ code: 'file/missing', where: missing });
  await files('a.jpg');
  await expect(imageFolder(join(folder, 'a.jpg'))).rejects.toMatchObject({ code: 'file/kind' });
  await expect(imageFolder(folder)).rejects.toMatchObject({
    code: 'data/no-classes',
    where: folder,
    fix: expect.stringContaining('one folder for each class') as string,
  });
  await files('cats/a.jpg');
  await expect(imageFolder(folder)).rejects.toMatchObject({ code: 'data/one-class', where: folder });
  expect((await imageFolder(folder, { allowOneClass: true })).classNames).toEqual(['cats']);
  await files('dogs/readme.txt');
  await expect(imageFolder(folder)).rejects.toMatchObject({
    code: 'data/empty-class',
    where: join(folder, 'dogs'),
  });
});

test('parts of a data set are not taken for classes, classes that are called like parts are', async () => {
  await files('train/cats/1.jpg', 'train/dogs/1.jpg', 'test/cats/2.jpg', 'test/dogs/2.jpg');
  await expect(imageFolder(folder)).rejects.toMatchObject({ code: 'data/parts', where: folder });
  const part = await imageFolder(join(folder, 'train'));
  expect(part.classNames).toEqual(['cats', 'dogs']);
  await files('planes/1.jpg');
  expect((await imageFolder(folder)).classNames).toEqual(['planes', 'test', 'train']);
  await rm(join(folder, 'planes'), { recursive: true });
  await rm(join(folder, 'test'), { recursive: true });
  await files('test/1.jpg');
  expect((await imageFolder(folder)).classNames).toEqual(['test', 'train']);
});

test('with known classes their order counts, some may lack, and no others may be there', async () => {
  await files('cats/a.jpg', 'dogs/a.jpg');
  const set = await imageFolder(folder, { classNames: ['dogs', 'mice', 'cats'] });
  expect(set.classNames).toEqual(['dogs', 'mice', 'cats']);
  expect([set.label(0), set.label(1)]).toEqual([2, 0]);
  await expect(imageFolder(folder, { classNames: ['cats', 'mice'] })).rejects.toMatchObject({
    code: 'data/unknown-class',
    message: expect.stringMatching(/dogs[^]*cats, mice/) as string,
  });
});

test.runIf(process.platform !== 'win32')(
  'what has the name of a picture and is no file is a bad picture',
  async () => {
    await files('cats/a.jpg', 'dogs/a.jpg', 'cats/folder/b.txt');
    execFileSync('mkfifo', [join(folder, 'cats/b.jpg')]);
    await symlink('c.jpg', join(folder, 'cats/c.jpg'));
    await symlink('b.jpg', join(folder, 'cats/d.jpg'));
    await symlink('folder', join(folder, 'cats/e.jpg'));
    const set = await imageFolder(folder);
    expect(set.files).toEqual([
      'cats/a.jpg',
      'cats/b.jpg',
      'cats/c.jpg',
      'cats/d.jpg',
      'cats/e.jpg',
      'dogs/a.jpg',
    ]);
    for (const [index, name] of [
      [1, 'b'],
      [2, 'c'],
      [3, 'd'],
      [4, 'e'],
    ] as const) {
      const error: unknown = await set.picture(index).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(PictureError);
      expect(error).toMatchObject({ code: 'picture/no-file', where: join(folder, `cats/${name}.jpg`) });
    }
  },
);
