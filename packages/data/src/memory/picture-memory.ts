import { freemem } from 'node:os';
import type { Picture, PictureSize } from '../picture/picture.ts';
import type { PictureSet } from '../picture/picture-set.ts';
import type { ResizeMode } from '../resize/resize.ts';

/** The pictures of one set in one size. */
export interface KeptPictures {
  /** Picture `index`, where it is kept. */
  get(index: number): Picture | undefined;
  /** Keeps picture `index`, where there is room. */
  keep(index: number, picture: Picture): void;
}

/** Never more than this, however much memory is free. */
const MOST_BYTES = 2 ** 31;

/**
 * Decoded and resized pictures for later epochs, up to a number of bytes: the first ones that come. Where not all fit,
 * those that do are still decoded only once; which ones they are makes no difference, for an epoch wants each once.
 *
 * One memory may serve several sets. It is lost with its object, or by `clear`.
 */
export class PictureMemory {
  readonly #limit: number;
  #bytes = 0;
  #sets = new Map<PictureSet, Map<string, Map<number, Picture>>>();

  /** @param limit bytes of pictures; default a quarter of the memory that is free now, at most 2 GiB */
  constructor(limit: number = Math.min(MOST_BYTES, freemem() / 4)) {
    this.#limit = limit;
  }

  /** What is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The pictures of this set (this very object) in this size, made in this way. */
  of(set: PictureSet, { height, width }: PictureSize, resize: ResizeMode = 'nearest'): KeptPictures {
    const kept = (): Map<number, Picture> => {
      const ways = upsert(this.#sets, set, () => new Map<string, Map<number, Picture>>());
      return upsert(ways, `${height} ${width} ${resize}`, () => new Map<number, Picture>());
    };
    return {
      get: (index) => kept().get(index),
      keep: (index, picture) => {
        const pictures = kept();
        const { byteLength } = picture.data;
        if (pictures.has(index) || this.#bytes + byteLength > this.#limit) return;
        this.#bytes += byteLength;
        pictures.set(index, picture);
      },
    };
  }

  /** Forgets everything. */
  clear(): void {
    this.#sets = new Map();
    this.#bytes = 0;
  }
}

function upsert<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const there = map.get(key);
  if (there !== undefined) return there;
  const made = make();
  map.set(key, made);
  return made;
}
