import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import { fileSize } from '@convbase/base/node';
import {
  imageFolder,
  mnistIdx,
  pictureBatches,
  split,
  subset,
  type PictureBatchOptions,
  type PictureSet,
} from '@convbase/data';
import { fractionOf, type RecipeData } from '../recipe/index.ts';

/** The pictures of a run. Sets that are the same are one object. */
export interface RunPictures {
  readonly classNames: readonly string[];
  readonly train: PictureSet;
  readonly validation: PictureSet | undefined;
  readonly test: PictureSet | undefined;
  /** SHA-256 of what belongs to which set: names, labels, and the files' sizes. */
  readonly checksum: string;
}

export interface PictureWatch {
  /** Told of every picture that is left out. */
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Lists the pictures that a recipe asks for. None is opened, unless those that cannot be read are to be left out: which
 * ones these are only reading tells, and it has to be known before there are steps and labels to count.
 *
 * @param folder the data folder; the recipe's folders are below it
 * @throws ConvbaseError those of `imageFolder`, `mnistIdx` and `split`; `data/all-bad`
 */
export async function openRunPictures(
  data: RecipeData,
  folder: string,
  seed: number,
  watch: PictureWatch = {},
): Promise<RunPictures> {
  const { fraction = 1, testFraction = 1 } = data;
  const sets = data.kind === 'mnist' ? await digits(data, folder) : await folders(data, folder, seed);
  const part = (set: PictureSet, share: number): Promise<PictureSet> =>
    readable(firstOfEachClass(set, share), data, watch);
  const train = await part(sets.train, fraction);
  const validation = sets.validation && (await part(sets.validation, fraction));
  const sameTest = sets.test === sets.validation && fraction === testFraction;
  const test = sameTest ? validation : sets.test && (await part(sets.test, testFraction));
  const checksum = await checksumOf([train, validation, test], folder);
  return { classNames: train.classNames, train, validation, test, checksum };
}

/** What the recipe says of every batch. */
export function batchOptions(data: RecipeData, signal?: AbortSignal): PictureBatchOptions {
  const [height, width] = pictureSize(data);
  const { batchSize, resize, preprocess } = data;
  return { size: { height, width }, batchSize, resize, preprocess, ...(signal ? { signal } : {}) };
}

/** Height and width. */
export function pictureSize({ size }: RecipeData): [number, number] {
  return typeof size === 'number' ? [size, size] : [...size];
}

interface Sets {
  readonly train: PictureSet;
  readonly validation: PictureSet | undefined;
  readonly test: PictureSet | undefined;
}

async function digits(data: RecipeData & { kind: 'mnist' }, folder: string): Promise<Sets> {
  const { train, test } = await mnistIdx(folder);
  const all = concatenate([train, test].flatMap((set) => set ?? []));
  const count = Math.floor(all.length * data.trainShare);
  const rest = range(all, count, all.length);
  return { train: range(all, 0, count), validation: rest, test: rest };
}

async function folders(data: RecipeData & { kind: 'folder' }, folder: string, seed: number): Promise<Sets> {
  const open = async (names: readonly string[], classNames?: readonly string[]): Promise<PictureSet> => {
    const sets: PictureSet[] = [];
    for (const name of names) {
      const known = classNames ?? sets[0]?.classNames;
      sets.push(await imageFolder(join(folder, name), known === undefined ? {} : { classNames: known }));
    }
    return concatenate(sets);
  };
  const train = await open(data.train);
  const { classNames } = train;
  const test = data.test && (await open(data.test, classNames));
  if (data.validation === undefined) return { train, validation: undefined, test };
  if (!Array.isArray(data.validation)) return { ...split(train, data.validation.share, seed), test };
  if (data.validation.join('\0') === data.test?.join('\0')) return { train, validation: test, test };
  return { train, validation: await open(data.validation, classNames), test };
}

/** Sets one behind the other. */
function concatenate(sets: readonly PictureSet[]): PictureSet {
  const [first, ...more] = sets;
  if (first === undefined) throw new RangeError('no set of pictures');
  if (more.length === 0) return first;
  const starts: number[] = [];
  let length = 0;
  for (const set of sets) {
    starts.push(length);
    length += set.length;
  }
  const at = (index: number): [PictureSet, number] => {
    const which = starts.findLastIndex((start) => start <= index);
    const set = sets[which];
    if (set === undefined || index >= length) throw new RangeError(`no picture ${index}`);
    return [set, index - (starts[which] ?? 0)];
  };
  return {
    classNames: first.classNames,
    length,
    name: (index) => ((set, place) => set.name(place))(...at(index)),
    file: (index) => ((set, place) => set.file?.(place) ?? set.name(place))(...at(index)),
    label: (index) => ((set, place) => set.label(place))(...at(index)),
    picture: (index) => ((set, place) => set.picture(place))(...at(index)),
  };
}

function range(set: PictureSet, from: number, to: number): PictureSet {
  return subset(
    set,
    Array.from({ length: to - from }, (_, i) => from + i),
  );
}

/** The first pictures of each class, in the set's order. */
export function firstOfEachClass(set: PictureSet, fraction: number): PictureSet {
  if (fraction === 1) return set;
  const totals = set.classNames.map(() => 0);
  for (let i = 0; i < set.length; i++) totals[set.label(i)] = (totals[set.label(i)] ?? 0) + 1;
  const left = totals.map((total) => fractionOf(total, fraction));
  const taken: number[] = [];
  for (let i = 0; i < set.length; i++) {
    const label = set.label(i);
    if ((left[label] ?? 0) <= 0) continue;
    left[label] = (left[label] ?? 0) - 1;
    taken.push(i);
  }
  return subset(set, taken);
}

/** Without the pictures that cannot be read, where the recipe wants them left out. */
async function readable(
  set: PictureSet,
  data: RecipeData,
  { say, signal }: PictureWatch,
): Promise<PictureSet> {
  if (data.onBadImage !== 'skip') return set;
  const good: number[] = [];
  const pictures = pictureBatches(set, {
    ...batchOptions(data, signal),
    onBadImage: 'skip',
    onSkip: (error) => say?.(`skipped: ${error.message.split('\n')[0] ?? ''}`),
  });
  for await (const { indices } of pictures.batches(0)) good.push(...indices);
  return good.length === set.length ? set : subset(set, good);
}

async function checksumOf(sets: readonly (PictureSet | undefined)[], folder: string): Promise<string> {
  const hash = createHash('sha256');
  const sizes = new Map<string, number>();
  for (const set of sets) {
    hash.update(JSON.stringify(set === undefined ? null : set.classNames));
    for (let i = 0; i < (set?.length ?? 0); i++) {
      const path = set?.file?.(i) ?? set?.name(i) ?? '';
      let size = sizes.get(path);
      if (size === undefined) {
        size = await fileSize(path);
        sizes.set(path, size);
      }
      hash.update(JSON.stringify([relative(folder, set?.name(i) ?? ''), set?.label(i), size]));
    }
  }
  return hash.digest('hex');
}
