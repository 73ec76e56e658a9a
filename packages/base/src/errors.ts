/** Where an error happened and what the reader can do about it. */
export interface ErrorDetails {
  /** The file, layer, tensor or adapter concerned. */
  readonly where?: string;
  /** What to do, as an instruction. */
  readonly fix?: string;
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
 * is meant for people and already contains `where` and `fix`. What is too long for people is shortened.
 */
export class ConvbaseError extends Error {
  readonly code: string;
  readonly where: string | undefined;
  readonly fix: string | undefined;

  constructor(code: string, what: string, details: ErrorDetails = {}) {
    const where = details.where === undefined ? undefined : shortened(details.where);
    const fix = details.fix === undefined ? undefined : shortened(details.fix);
    const place = where === undefined ? '' : `${where}: `;
    const advice = fix === undefined ? '' : `\n  ${fix}`;
    super(
      `${place}${shortened(what)}${advice}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.name = 'ConvbaseError';
    this.code = code;
    this.where = where;
    this.fix = fix;
  }
}
