import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { listFolder } from '@convbase/base/node';
import type { PictureSet } from '../picture/picture-set.ts';
import { readIdx } from './idx.ts';

/** A folder of MNIST's four files, or of one pair of them. */
export interface Mnist {
  readonly train: PictureSet | undefined;
  readonly test: PictureSet | undefined;
}

const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/** The two files of a part, as they are named in the wild: `train-images-idx3-ubyte`, `.idx3-ubyte`, `.gz`. */
const fileNames = {
  train: [/^train-images[-.]idx3-ubyte(\.gz)?$/, /^train-labels[-.]idx1-ubyte(\.gz)?$/],
  test: [/^t10k-images[-.]idx3-ubyte(\.gz)?$/, /^t10k-labels[-.]idx1-ubyte(\.gz)?$/],
} as const;

/** Whether a folder holds MNIST's files, rather than folders of pictures. */
export async function isMnistFolder(folder: string): Promise<boolean> {
  const names = await listFolder(folder);
  return Object.values(fileNames).some(([images]) => names.some((name) => images.test(name)));
}

/**
 * Reads a folder of idx files: grey pictures of any one size with labels 0 to 9 (MNIST, Fashion-MNIST ..). Grey
 * becomes three equal channels. A part whose files are not there is undefined.
 *
 * Errors: `idx/missing` when there is no part, or half of one; `idx/damaged`, `file/...`.
 */
export async function mnistIdx(folder: string): Promise<Mnist> {
  const names = await listFolder(folder);
  const [train, test] = [await readPart(folder, names, 'train'), await readPart(folder, names, 'test')];
  if (train === undefined && test === undefined) {
    throw new ConvbaseError('idx/missing', 'there are no MNIST files in it', {
      where: folder,
      fix: 'Needed are train-images-idx3-ubyte and train-labels-idx1-ubyte, or the same with t10k; .gz will do.',
    });
  }
  return { train, test };
}

async function readPart(
  folder: string,
  names: readonly string[],
  part: 'train' | 'test',
): Promise<PictureSet | undefined> {
  const [imagesName, labelsName] = fileNames[part].map((pattern) => names.find((name) => pattern.test(name)));
  if (imagesName === undefined && labelsName === undefined) return undefined;
  if (imagesName === undefined || labelsName === undefined) {
    throw new ConvbaseError('idx/missing', `the other half of ${imagesName ?? labelsName} is not there`, {
      where: folder,
      fix: 'Pictures and labels are two files; get the missing one too.',
    });
  }
  const images = await readIdx(join(folder, imagesName), 3);
  const labels = await readIdx(join(folder, labelsName), 1);
  const [length = 0, height = 0, width = 0] = images.shape;
  if (labels.data.length !== length) {
    throw new ConvbaseError('idx/damaged', `${labels.data.length} labels for ${length} pictures`, {
      where: join(folder, labelsName),
      fix: `It does not belong to ${imagesName}; download both again.`,
    });
  }
  const wrong = labels.data.findIndex((label) => label >= digits.length);
  if (wrong >= 0) {
    throw new ConvbaseError(
      'idx/damaged',
      `label ${labels.data[wrong]} of picture ${wrong} is not one of 0 to 9`,
      {
        where: join(folder, labelsName),
      },
    );
  }
  const path = join(folder, imagesName);
  const check = (index: number) => {
    if (!(index >= 0 && index < length)) throw new RangeError(`no picture ${index} in ${path}`);
    return index;
  };
  return {
    classNames: digits,
    length,
    name: (index) => `${path}[${check(index)}]`,
    file: () => path,
    label: (index) => labels.data[check(index)] ?? 0,
    picture: async (index) => {
      const pixels = height * width;
      const start = check(index) * pixels;
      const data = new Uint8Array(pixels * 3);
      for (let i = 0; i < data.length; i++) data[i] = images.data[start + Math.floor(i / 3)] ?? 0;
      return { height, width, data };
    },
  };
}
