import { imageFolder, isMnistFolder, mnistIdx, subset, type PictureSet } from '@convbase/data';
import { ConvbaseError } from '@convbase/base';

export interface PictureSource {
  /** A folder of class folders, or one with MNIST's idx files. */
  readonly path: string;
  /** Which half of an MNIST folder; `train` when left out. */
  readonly split?: 'train' | 'test';
  /** Only the first so many pictures. */
  readonly limit?: number;
  /** The classes a trained model knows, where there is one. */
  readonly classNames?: readonly string[];
}

/** The labelled pictures of a folder. */
export async function openPictures({ path, split, limit, classNames }: PictureSource): Promise<PictureSet> {
  const all = (await isMnistFolder(path))
    ? await mnistPart(path, split)
    : await imageFolder(path, classNames === undefined ? {} : { classNames });
  if (classNames && classNames.join('\0') !== all.classNames.join('\0')) {
    throw new ConvbaseError('data/classes', `its classes are ${all.classNames.join(', ')}`, {
      where: path,
      fix: `The classifier knows ${classNames.join(', ')}.`,
    });
  }
  return limit === undefined || limit >= all.length
    ? all
    : subset(
        all,
        Array.from({ length: limit }, (_, i) => i),
      );
}

async function mnistPart(path: string, split: 'train' | 'test' | undefined): Promise<PictureSet> {
  const parts = await mnistIdx(path);
  const chosen = split === undefined ? (parts.train ?? parts.test) : parts[split];
  if (chosen) return chosen;
  throw new ConvbaseError('idx/missing', `it has no ${split ?? ''} part`, {
    where: path,
    fix: `Name the other part: --split ${split === 'train' ? 'test' : 'train'}.`,
  });
}
