import { ConvbaseError } from '@convbase/base';

/**
 * A picture that cannot be used. Codes: `picture/empty`, `picture/format`, `picture/truncated`, `picture/damaged`,
 * `picture/too-large`, `picture/resize`, `picture/no-file`. What the loaders may skip, as opposed to errors that have another cause.
 */
export class PictureError extends ConvbaseError {
  constructor(code: `picture/${string}`, what: string, where: string, cause?: unknown) {
    super(code, what, {
      where,
      fix: 'Repair or remove it. What reads class folders can leave it out: --on-bad-image skip.',
      ...(cause === undefined ? {} : { cause }),
    });
    this.name = 'PictureError';
  }
}
