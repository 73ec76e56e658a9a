import { ConvbaseError } from '@convbase/base';
import { imageFolder, isMnistFolder, mnistIdx, subset, takeEvenly, type PictureSet } from '@convbase/data';
import { Option, type Command } from 'commander';
import { wholeNumber } from '../terminal/options.ts';

/** Which pictures of a folder are wanted, as the command line says it. */
export interface PictureFlags {
  /** Which half of an MNIST folder. */
  readonly split?: 'train' | 'test';
  readonly limit?: number;
  readonly onBadImage: 'refuse' | 'skip';
}

/** The keys of `withPictureOptions`' values. */
export const pictureOptionNames = ['split', 'limit', 'onBadImage'] as const;

/** Adds the options that say which pictures of a folder are wanted. */
export function withPictureOptions(command: Command, split: string): Command {
  return command
    .addOption(
      new Option('--split <part>', `which part of a folder with MNIST files; default: ${split}`).choices([
        'train',
        'test',
      ]),
    )
    .option(
      '--limit <n>',
      'only n pictures: an equal share of each class folder, or the first of an MNIST file',
      wholeNumber(1),
    )
    .addOption(
      new Option('--on-bad-image <what>', 'what to do with pictures that cannot be read')
        .choices(['refuse', 'skip'])
        .default('refuse'),
    );
}

interface PictureOptions extends PictureFlags {
  /** The part of an MNIST folder to take when the flags name none, if it is there. */
  readonly preferred: 'train' | 'test';
  /** The classes a trained model knows, where there is one. */
  readonly classNames?: readonly string[];
}

/** The labelled pictures of a folder of class folders, or of one with MNIST's idx files. */
export async function openPictures(path: string, options: PictureOptions): Promise<PictureSet> {
  const { limit = Infinity, classNames } = options;
  if (!(await isMnistFolder(path))) {
    return takeEvenly(await imageFolder(path, classNames === undefined ? {} : { classNames }), limit);
  }
  const all = await mnistPart(path, options);
  if (classNames && classNames.join('\0') !== all.classNames.join('\0')) {
    throw new ConvbaseError('data/classes', `its classes are ${all.classNames.join(', ')}`, {
      where: path,
      fix: `Wanted are ${classNames.join(', ')}.`,
    });
  }
  const count = Math.min(limit, all.length);
  return subset(
    all,
    Array.from({ length: count }, (_, i) => i),
  );
}

async function mnistPart(path: string, { split, preferred }: PictureOptions): Promise<PictureSet> {
  const parts = await mnistIdx(path);
  const chosen = split === undefined ? (parts[preferred] ?? parts.train ?? parts.test) : parts[split];
  if (chosen) return chosen;
  throw new ConvbaseError('idx/missing', `it has no ${split ?? ''} part`, {
    where: path,
    fix: `Name the other part: --split ${split === 'train' ? 'test' : 'train'}.`,
  });
}
