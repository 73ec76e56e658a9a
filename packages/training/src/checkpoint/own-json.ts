import { ConvbaseError, parseJson } from '@convbase/base';
import type { z } from 'zod';

/**
 * JSON that a run wrote for itself, as it was meant. Throws an error of this code for anything else: a file of another
 * version, or one that somebody changed.
 */
export function ownJson<T>(schema: z.ZodType<T>, text: string | undefined, code: string, where: string): T {
  let json: unknown;
  try {
    json = parseJson(text ?? 'null');
  } catch {
    json = undefined; // what the schema refuses
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ConvbaseError(code, 'it is damaged, or of another version of convbase', {
    where,
    fix: 'Start the run anew in another folder.',
  });
}
