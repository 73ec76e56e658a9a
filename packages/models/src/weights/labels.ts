import { z } from 'zod';
import { openSource } from '#platform';
import { decodeText, malformed, parseJson } from '../formats/checks.ts';
import { imagenetClassIndex } from './catalogue.ts';
import { resolveFile } from './resolve.ts';
import type { FetchOptions } from './resolve.ts';

const MAX_LABEL_BYTES = 1 << 24;

/** A list of names, names by class number, or Keras' pairs of WordNet id and name by class number. */
const labelsSchema = z.union([
  z.array(z.string()),
  z.record(
    z.string().regex(/^\d+$/),
    z.union([z.string(), z.tuple([z.string(), z.string()]).transform(([, name]) => name)]),
  ),
]);

/**
 * Reads class names in class order from JSON: `["cat", ..]`, `{"0": "cat", ..}` or Keras' `{"0": ["n02..", "cat"], ..}`.
 *
 * @throws ConvbaseError `file/malformed` for anything else, or if a number is missing
 */
export async function readLabels(path: string): Promise<string[]> {
  const source = await openSource(path);
  try {
    if (source.size > MAX_LABEL_BYTES)
      throw malformed(path, `a list of class names of ${source.size} bytes makes no sense`);
    const parsed = labelsSchema.safeParse(parseJson(decodeText(source.bytes(0, source.size), path), path));
    if (!parsed.success) throw malformed(path, 'it is no list of class names', parsed.error);
    if (Array.isArray(parsed.data)) return parsed.data;
    const byNumber = parsed.data;
    return Array.from({ length: Object.keys(byNumber).length }, (_, i) => {
      const name = byNumber[String(i)];
      if (name === undefined) throw malformed(path, `class ${i} has no name`);
      return name;
    });
  } finally {
    source.close();
  }
}

/** The names of ImageNet's 1000 classes, found or downloaded like weights. */
export async function imagenetLabels(options: FetchOptions = {}): Promise<string[]> {
  return readLabels((await resolveFile(imagenetClassIndex, options)).path);
}
