import type { Variable } from './variable.ts';

/** Remembers which values some variables had, so that what was computed from them can be recognised as stale. */
export class Versions {
  #from: readonly Variable[] = [];
  #versions: readonly number[] = [];

  note(from: readonly Variable[]): void {
    this.#from = from;
    this.#versions = from.map((variable) => variable.version);
  }

  /** Whether these are the variables noted last, and none has changed since. */
  areOf(from: readonly Variable[]): boolean {
    return (
      from.length === this.#from.length &&
      from.every((variable, i) => variable === this.#from[i] && variable.version === this.#versions[i])
    );
  }
}
