/** Where an error happened and what the reader can do about it. */
export interface ErrorDetails {
  /** The file, layer, tensor or adapter concerned. */
  readonly where?: string;
  /** What to do, as an instruction. */
  readonly fix?: string;
  readonly cause?: unknown;
}

/**
 * The one error class of convbase: what happened, where, and what to do.
 *
 * `code` is stable across versions and meant for programs (`'adapter/none'`, `'file/truncated'`); the message
 * is meant for people and already contains `where` and `fix`.
 */
export class ConvbaseError extends Error {
  readonly code: string;
  readonly where: string | undefined;
  readonly fix: string | undefined;

  constructor(code: string, what: string, details: ErrorDetails = {}) {
    const where = details.where === undefined ? '' : `${details.where}: `;
    const fix = details.fix === undefined ? '' : `\n  ${details.fix}`;
    super(`${where}${what}${fix}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'ConvbaseError';
    this.code = code;
    this.where = details.where;
    this.fix = details.fix;
  }
}
