import { dirname } from 'node:path';
import { appendText, exists, makeFolder, readBounded, writeFileAtomic } from '@convbase/base/node';

/** More than a log has after years. */
const MAX_BYTES = 2 ** 28;

/**
 * A text file that grows by whole lines and can be put back to an earlier state, so that a run that is resumed neither
 * doubles nor loses a line.
 */
export class TextLog {
  readonly path: string;
  #text = '';
  #restored = false;

  constructor(path: string) {
    this.path = path;
  }

  /** Everything in the file. */
  get text(): string {
    return this.#text;
  }

  /** The text that the file shall have when training goes on, whatever was added to it since. */
  restore(text: string): void {
    this.#text = text;
    this.#restored = true;
  }

  /**
   * Makes the file ready for lines: with the text it was put back to, else, when `append` is set, with what it holds,
   * less a last line that a killed run left unfinished; else empty.
   */
  async begin(append: boolean): Promise<void> {
    if (!this.#restored) this.#text = append ? await wholeLines(this.path) : '';
    this.#restored = false;
    await writeFileAtomic(this.path, this.#text);
  }

  /** Adds text that ends with a line break. */
  async add(lines: string): Promise<void> {
    this.#text += lines;
    await makeFolder(dirname(this.path));
    await appendText(this.path, lines);
  }
}

async function wholeLines(path: string): Promise<string> {
  if (!(await exists(path))) return '';
  const text = (await readBounded(path, MAX_BYTES)).toString('utf8');
  return text.slice(0, text.lastIndexOf('\n') + 1);
}
