import { withoutCredentials } from './credentials.ts';
import { visibleLine } from './visible.ts';

/** Where an error happened and what the reader can do about it. */
export interface ErrorDetails {
  /** The file, layer, tensor or adapter concerned. */
  readonly where?: string;
  /** What to do, as an instruction, in one line or several. */
  readonly fix?: string | readonly string[];
  readonly cause?: unknown;
}

/** What a file holds may be quoted in a message, and files hold megabytes. Nobody reads more than this of any part. */
const MAX_CHARS = 2000;

/** A text of at most `maxChars` characters and a note: what is too long loses its middle. */
export function shortened(text: string, maxChars = MAX_CHARS): string {
  if (text.length <= maxChars) return text;
  const half = Math.floor(maxChars / 2);
  // Half of a surrogate pair is no character.
  const start = text.slice(0, half).replace(/[\ud800-\udbff]$/, '');
  const end = text.slice(-half).replace(/^[\udc00-\udfff]/, '');
  return `${start} [.. ${text.length - start.length - end.length} characters ..] ${end}`;
}

/**
 * The one error class of convbase: what happened, where, and what to do.
 *
 * `code` is stable across versions and meant for programs (`'adapter/none'`, `'file/truncated'`); the message
 * is meant for people and already contains `where` and `fix`. Names in it may come from anywhere, so each part is made
 * visible, and a line break in it ends no line: more lines are given as a list, and all but the first are indented. What
 * is too long for people is shortened. No part shows the user and password of a web address.
 */
export class ConvbaseError extends Error {
  readonly code: string;
  /** As it was given, for programs, but for passwords. */
  readonly where: string | undefined;
  readonly fix: string | undefined;
  readonly #what: readonly string[];

  constructor(code: string, what: string | readonly string[], details: ErrorDetails = {}) {
    const { cause } = details;
    const where = details.where === undefined ? undefined : withoutCredentials(details.where);
    const fix = details.fix === undefined ? undefined : [details.fix].flat().map(withoutCredentials);
    const happened = [what].flat().map(withoutCredentials);
    const place = where === undefined ? '' : `${messageOf(where)}: `;
    const advice = fix === undefined ? '' : LINE_BREAK + messageOf(fix);
    super(`${place}${messageOf(happened)}${advice}`, cause === undefined ? undefined : { cause });
    this.name = 'ConvbaseError';
    this.code = code;
    this.#what = happened;
    this.where = where === undefined ? undefined : shortened(where);
    this.fix = fix === undefined ? undefined : shortened(fix.join(LINE_BREAK));
  }

  /** The same error with the place that its own place lies in, such as the file of a layer. */
  within(place: string): ConvbaseError {
    const where = this.where === undefined ? place : `${place}, ${this.where}`;
    const { fix, cause } = this;
    return new ConvbaseError(this.code, this.#what, {
      where,
      ...(fix === undefined ? {} : { fix: fix.split(LINE_BREAK) }),
      cause,
    });
  }
}

const LINE_BREAK = '\n  ';

function messageOf(part: string | readonly string[]): string {
  return shortened([part].flat().map(visibleLine).join(LINE_BREAK));
}
