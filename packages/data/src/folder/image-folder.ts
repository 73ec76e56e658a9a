import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { listEntries, statusOf } from '@convbase/base/node';
import { decodeImage } from '../decode/decode.ts';
import { PictureError } from '../decode/picture-error.ts';
import type { Picture } from '../picture/picture.ts';
import type { PictureSet } from '../picture/picture-set.ts';

export interface ImageFolderOptions {
  /**
   * The classes that a trained model knows, in its order. The folder may then lack some of them, but may hold no
   * others. By default the classes are the folder names, sorted by code unit.
   */
  readonly classNames?: readonly string[];
  /** Accept a folder with a single class, which cannot be trained on but can be looked at. */
  readonly allowOneClass?: boolean;
}

/** The pictures of a folder of classes. */
export interface ImageFolder extends PictureSet {
  readonly folder: string;
  /** Path of each picture below `folder`, with `/`. */
  readonly files: readonly string[];
}

/** Which files are taken for pictures at all; what they really are is told by their first bytes. */
const pictureName = /\.(jpe?g|jpe|jfif|png|bmp|gif|tiff?|webp|avif)$/i;

/**
 * Lists a data set in which each class is a folder of pictures, as Keras' `flow_from_directory` does: classes sorted
 * by name, in each class folders and files sorted by name, sub-folders included. Nothing is opened yet.
 *
 * Other files and hidden ones (`.DS_Store`, `._cat.jpg`) are passed over. Links to files and to class folders are
 * followed, links to folders inside a class are not. What has a picture's name and is no file (a pipe, a link that leads
 * in a circle or to a folder) is a broken picture.
 *
 * Errors, each naming the folder: `data/no-classes`, `data/one-class`, `data/parts`, `data/empty-class`,
 * `data/unknown-class`, `file/...`.
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  const found = await classFolders(folder);
  const classNames = options.classNames ?? found;
  checkClasses(folder, found, options);
  if (options.classNames === undefined) await refuseParts(folder, found);
  const files: string[] = [];
  const labels: number[] = [];
  for (const className of found) {
    const members = await picturesIn(join(folder, className));
    if (members.length === 0) {
      throw new ConvbaseError('data/empty-class', 'there are no pictures in this class folder', {
        where: join(folder, className),
        fix: 'Put pictures into it (JPEG, PNG, WebP, GIF, TIFF, AVIF or BMP), or remove the folder.',
      });
    }
    const label = classNames.indexOf(className);
    for (const member of members) {
      files.push(`${className}/${member}`);
      labels.push(label);
    }
  }
  const at = <T>(list: readonly T[], index: number): T => {
    const value = list[index];
    if (value === undefined) throw new RangeError(`no picture ${index} in ${folder}`);
    return value;
  };
  const path = (index: number) => join(folder, at(files, index));
  return {
    folder,
    files,
    classNames,
    length: files.length,
    name: path,
    file: path,
    label: (index) => at(labels, index),
    picture: (index) => listedPicture(path(index)),
  };
}

/** Why something of a picture's name is none. Whatever else the system says has another cause than the picture. */
const noFile: Readonly<Record<string, string>> = {
  'file/kind': 'it is a pipe, a device or a folder, no file',
  'file/link': 'it is a link that leads in a circle',
};

async function listedPicture(path: string): Promise<Picture> {
  try {
    return await decodeImage(path);
  } catch (error) {
    const what = error instanceof ConvbaseError ? noFile[error.code] : undefined;
    throw what === undefined ? error : new PictureError('picture/no-file', what, path, error);
  }
}

async function classFolders(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await list(folder)) {
    const linked = entry.isSymbolicLink() && (await leadsToFolder(join(folder, entry.name)));
    if (entry.isDirectory() || linked) names.push(entry.name);
  }
  return names.sort();
}

function checkClasses(folder: string, found: readonly string[], options: ImageFolderOptions): void {
  if (found.length === 0) {
    throw new ConvbaseError('data/no-classes', 'there are no class folders in it', {
      where: folder,
      fix: 'Make one folder for each class, named after it, and put its pictures there: cats/ and dogs/.',
    });
  }
  const known = options.classNames;
  if (known !== undefined) {
    const unknown = found.filter((name) => !known.includes(name));
    if (unknown.length === 0) return;
    throw new ConvbaseError(
      'data/unknown-class',
      `there are folders that are none of the classes: ${unknown.join(', ')}`,
      {
        where: folder,
        fix: `The classes are: ${known.join(', ')}. Rename or move the folders.`,
      },
    );
  }
  if (found.length === 1 && options.allowOneClass !== true) {
    throw new ConvbaseError(
      'data/one-class',
      `there is only one class folder in it, ${JSON.stringify(found[0])}`,
      {
        where: folder,
        fix: 'To tell classes apart at least two are needed; is it the folder above that you mean?',
      },
    );
  }
}

/** As the parts of a data set are called; each has class folders of its own. */
const partName = /^(train(ing)?|val(id(ation)?)?|test)$/i;

async function refuseParts(folder: string, found: readonly string[]): Promise<void> {
  if (!found.every((name) => partName.test(name))) return;
  for (const name of found) if ((await classFolders(join(folder, name))).length === 0) return;
  throw new ConvbaseError(
    'data/parts',
    `its folders are parts of a data set, not classes: ${found.join(', ')}`,
    {
      where: folder,
      fix: `Give one of them: ${found.map((name) => join(folder, name)).join(' or ')}.`,
    },
  );
}

/** Paths of all pictures below a class folder, ordered first by their folder and then by their name. */
async function picturesIn(classFolder: string): Promise<string[]> {
  const byFolder = new Map<string, string[]>();
  const visit = async (below: string): Promise<void> => {
    const names: string[] = [];
    for (const entry of await list(join(classFolder, below))) {
      if (entry.isDirectory()) await visit(`${below}${entry.name}/`);
      else if (pictureName.test(entry.name)) names.push(entry.name);
    }
    byFolder.set(below, names.sort());
  };
  await visit('');
  return [...byFolder.keys()]
    .sort()
    .flatMap((below) => (byFolder.get(below) ?? []).map((name) => below + name));
}

/** What a folder holds, hidden entries left out. */
async function list(folder: string): ReturnType<typeof listEntries> {
  return (await listEntries(folder)).filter((entry) => !entry.name.startsWith('.'));
}

/** A class whose folder is gone is none that may be left out without a word. */
async function leadsToFolder(link: string): Promise<boolean> {
  const status = await statusOf(link);
  if (status !== undefined) return status.isDirectory();
  throw new ConvbaseError('file/missing', 'this link leads nowhere', {
    where: link,
    fix: 'Put back what it leads to, or remove it.',
  });
}
