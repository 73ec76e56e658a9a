import { join } from 'node:path';
import { ConvbaseError, issueLines, parseJson } from '@convbase/base';
import { fileChecksum, statusOf } from '@convbase/base/node';
import { z } from 'zod';

const count = z.number().int().nonnegative();

const manifestSchema = z.object({
  format: z.literal('convbase-prefix'),
  version: z.literal(1),
  key: z.string(),
  /** Pictures with outputs. */
  rows: count,
  /** The shape of each output for one picture. */
  shapes: z.array(z.array(count).max(32)).min(1).max(10_000),
  /** Pictures that could not be read: their place in the set and their name. */
  skipped: z.array(z.object({ index: count, name: z.string() })),
  /** Size and SHA-256 of every file. */
  files: z.record(z.string(), z.object({ bytes: count, sha256: z.string() })),
});

/** What a folder of outputs holds; written last. */
export type PrefixManifest = z.infer<typeof manifestSchema>;

/** The files of such a folder. */
export const prefixFiles = {
  manifest: 'manifest.json',
  /** int32: the place in the set of each row's picture. */
  samples: 'samples.npy',
  /** float32: one output of the prefix, a row for each picture. */
  output: (index: number): string => `output-${index}.npy`,
} as const;

/** The names of all data files where there are so many outputs. */
export function dataFiles(outputs: number): readonly string[] {
  return [...Array.from({ length: outputs }, (_, index) => prefixFiles.output(index)), prefixFiles.samples];
}

/** Reads a manifest. Throws `prefix/damaged` for text that is none of this key. */
export function parsePrefixManifest(text: string, key: string, where: string): PrefixManifest {
  const damaged = (what: string | readonly string[], cause?: unknown): ConvbaseError =>
    new ConvbaseError('prefix/damaged', what, { where, cause });
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (cause) {
    throw damaged('it is not JSON', cause);
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw damaged(issueLines(parsed.error.issues));
  const { data } = parsed;
  if (data.key !== key) throw damaged('it belongs to other outputs');
  if (dataFiles(data.shapes.length).some((name) => data.files[name] === undefined)) {
    throw damaged('it does not list all files');
  }
  return data;
}

/** Size and checksum of some files in a folder. */
export async function listFiles(folder: string, names: readonly string[]): Promise<PrefixManifest['files']> {
  const files: PrefixManifest['files'] = {};
  for (const name of names) {
    const path = join(folder, name);
    const bytes = (await statusOf(path))?.size ?? 0;
    files[name] = { bytes, sha256: await fileChecksum(path, 'sha256') };
  }
  return files;
}

/** Throws `prefix/damaged`, naming the file, when one is not as the manifest says. */
export async function checkFiles(folder: string, { files }: PrefixManifest): Promise<void> {
  for (const [name, expected] of Object.entries(files)) {
    const found = (await listFiles(folder, [name]))[name];
    if (found?.bytes === expected.bytes && found.sha256 === expected.sha256) continue;
    throw new ConvbaseError('prefix/damaged', 'it is not what was written', { where: join(folder, name) });
  }
}
