import type { Picture } from './picture.ts';

/**
 * Labelled pictures in a fixed order, decoded only when asked for: a folder of classes, an MNIST file, or a part of
 * either.
 */
export interface PictureSet {
  /** The name of label 0, 1 .. */
  readonly classNames: readonly string[];
  readonly length: number;
  /** What to call picture `index` in messages: its path, or its place in a file. */
  name(index: number): string;
  /** The file that picture `index` is read from, for sets that are read from files. */
  file?(index: number): string;
  label(index: number): number;
  /** Decodes picture `index`. A PictureError says that this one picture is bad. */
  picture(index: number): Promise<Picture>;
}

/** Some of a set's pictures, in the order given. */
export function subset(set: PictureSet, indices: ArrayLike<number>): PictureSet {
  const at = (index: number) => {
    const original = indices[index];
    if (original === undefined || original >= set.length) throw new RangeError(`no picture ${index}`);
    return original;
  };
  return {
    classNames: set.classNames,
    length: indices.length,
    name: (index) => set.name(at(index)),
    ...(set.file && { file: (index: number) => set.file?.(at(index)) ?? '' }),
    label: (index) => set.label(at(index)),
    picture: (index) => set.picture(at(index)),
  };
}

/** All labels in order. */
export function labelsOf(set: PictureSet): Int32Array {
  return Int32Array.from({ length: set.length }, (_, index) => set.label(index));
}
