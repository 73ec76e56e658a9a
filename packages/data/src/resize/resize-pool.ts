import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { fullSizeRoom } from '../decode/room.ts';
import type { Picture, PictureSize } from '../picture/picture.ts';
import type { ResizeAnswer, ResizeRequest } from './resize-worker.ts';
import { resize, type ResizeMode } from './resize.ts';

/** One thread, and who waits for it. */
interface Hand {
  readonly worker: Worker;
  readonly waiting: Map<
    number,
    { readonly resolve: (picture: Picture) => void; readonly reject: (error: Error) => void }
  >;
}

/**
 * Threads that resize pictures, made when they are first needed. They do not keep the process alive, except while
 * somebody waits for a picture.
 */
export class ResizePool {
  readonly #most: number;
  readonly #entry: URL;
  readonly #hands: Hand[] = [];
  #next = 0;

  /** @param entry the program of a thread, as JavaScript */
  constructor(most: number, entry: URL) {
    this.#most = most;
    this.#entry = entry;
  }

  /** As `resize`, by the thread with the least to do. */
  resize(picture: Picture, size: PictureSize, mode: ResizeMode): Promise<Picture> {
    const hand = this.#leastBusy();
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const request: ResizeRequest = { id, picture, size, mode };
      // Copied, not transferred: a set may hand out the same picture again, and sharp's memory cannot be transferred.
      hand.worker.postMessage(request);
      hand.waiting.set(id, { resolve, reject });
      hand.worker.ref();
    });
  }

  #leastBusy(): Hand {
    const idle = this.#hands.find(({ waiting }) => waiting.size === 0);
    if (idle !== undefined) return idle;
    if (this.#hands.length < this.#most) return this.#hire();
    return this.#hands.reduce((a, b) => (b.waiting.size < a.waiting.size ? b : a));
  }

  #hire(): Hand {
    const hand: Hand = { worker: new Worker(this.#entry), waiting: new Map() };
    const { worker, waiting } = hand;
    worker.on('message', (answer: ResizeAnswer) => {
      const asker = waiting.get(answer.id);
      if ('picture' in answer) asker?.resolve(answer.picture);
      else asker?.reject(new Error(`the picture was not resized: ${answer.error}`));
      waiting.delete(answer.id);
      if (waiting.size === 0) worker.unref();
    });
    // A thread that failed is not asked again; whoever waits for it is told.
    const dismiss = (error: Error): void => {
      const place = this.#hands.indexOf(hand);
      if (place >= 0) this.#hands.splice(place, 1);
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    worker.on('error', dismiss);
    worker.on('exit', (code) => {
      dismiss(new Error(`a thread that resizes pictures ended with exit code ${code}`));
    });
    worker.on('messageerror', (error) => {
      dismiss(error);
      void worker.terminate();
    });
    this.#hands.push(hand);
    return hand;
  }
}

/** Below this many cores the threads that decode need them all. */
const CORES_WORTH_SHARING = 4;
const MOST_THREADS = 8;

const pool = makePool();

/** None on a small machine, and none where the sources themselves are run: a thread of Node cannot read TypeScript. */
function makePool(): ResizePool | undefined {
  const cores = availableParallelism();
  if (cores < CORES_WORTH_SHARING || import.meta.url.endsWith('.ts')) return undefined;
  const threads = Math.min(MOST_THREADS, Math.floor(cores / 2));
  return new ResizePool(threads, new URL('./resize-worker.js', import.meta.url));
}

/**
 * As `resize`, by another thread where that frees this one: on machines with cores to spare, for the ways that compute
 * and do not only copy. The bytes are the same.
 */
export async function resizeAside(
  picture: Picture,
  size: PictureSize,
  mode: ResizeMode = 'nearest',
  where?: string,
): Promise<Picture> {
  const copies = mode === 'nearest' || mode === 'pad';
  const same = picture.height === size.height && picture.width === size.width;
  if (pool === undefined || copies || same) return resize(picture, size, mode, where);
  // The thread gets a copy: twice the bytes. Its room for being decoded has been given to the next one by now, so at worst
  // three times as much is in use as there is room for.
  return fullSizeRoom.hold(2 * picture.data.byteLength, () => pool.resize(picture, size, mode));
}
