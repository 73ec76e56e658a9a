import { ConvbaseError } from '@convbase/base';

/**
 * Checks the sizes of what a kernel is planned for. Plans count up to them and divide by them: with none, a part of one or
 * no number at all they would come to no end, or to nonsense.
 *
 * @throws ConvbaseError `kernel/shape` naming the first that is no whole number from 1
 */
export function checkExtents(kernel: string, extents: Readonly<Record<string, number | undefined>>): void {
  for (const [name, value] of Object.entries(extents)) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw new ConvbaseError('kernel/shape', `${name} is ${String(value)}, it must be a whole number from 1`, {
      where: kernel,
      fix: 'Give the kernel at least one of everything; an empty batch has nothing to compute.',
    });
  }
}
