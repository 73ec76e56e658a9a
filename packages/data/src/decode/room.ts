/**
 * Lets several at once use what they ask for, as long as together it is no more than there is; the others wait in the
 * order in which they came. One that asks for more than there is waits until nobody else uses any.
 */
export class Room {
  readonly #size: number;
  #used = 0;
  readonly #waiting: { readonly wanted: number; readonly enter: () => void }[] = [];

  /** @param size of whatever is counted, such as bytes */
  constructor(size: number) {
    this.#size = size;
  }

  /** Runs the work as soon as there is room for it. */
  async use<T>(wanted: number, work: () => Promise<T>): Promise<T> {
    const taken = Math.min(wanted, this.#size);
    if (this.#waiting.length > 0 || this.#used + taken > this.#size) {
      await new Promise<void>((enter) => this.#waiting.push({ wanted: taken, enter }));
    } else this.#used += taken;
    try {
      return await work();
    } finally {
      this.#used -= taken;
      this.#admit();
    }
  }

  /** Runs work for which something is in use already, room or not: whoever comes next waits for it as well. */
  async hold<T>(used: number, work: () => Promise<T>): Promise<T> {
    this.#used += used;
    try {
      return await work();
    } finally {
      this.#used -= used;
      this.#admit();
    }
  }

  #admit(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || this.#used + next.wanted > this.#size) return;
      this.#waiting.shift();
      // Counted here, so that nobody who comes in between takes it.
      this.#used += next.wanted;
      next.enter();
    }
  }
}

/**
 * Bytes of pictures of full size, in the whole process: while sharp decodes them, and while they wait for another thread
 * to resize them. Many of the usual ones at once, but not of the largest.
 */
export const fullSizeRoom = new Room(2 ** 30);
