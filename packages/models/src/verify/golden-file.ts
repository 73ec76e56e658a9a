import { ConvbaseError } from '@convbase/base';
import { z } from 'zod';
import { readSafetensors, type ByteSource, type SafetensorsFile } from '../formats/index.ts';

const caseSchema = z.looseObject({ name: z.string().min(1), op: z.string() });

/** One case of a list: an operation with its parameters, an optimizer or a training run. */
export type GoldenCase = z.infer<typeof caseSchema>;

const modelCaseSchema = z.looseObject({ kind: z.enum(['features', 'finetune']) });

/** The one case of a full model's file. */
export type ModelCase = z.infer<typeof modelCaseSchema>;

/** A file of expected values: what was computed, and every tensor that went in or came out. */
export interface GoldenFile {
  /** Its path below the folder, without `.safetensors`. */
  readonly name: string;
  readonly tensors: SafetensorsFile['tensors'];
  readonly contents: { readonly cases: readonly GoldenCase[] } | { readonly model: ModelCase };
}

/** A tensor of such a file, read. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * Reads a safetensors file with `cases` in its metadata: a list (operations, optimizers, training runs) or an object
 * (a full model).
 * @throws ConvbaseError those of `readSafetensors`, and `verify/format` for files without cases
 */
export function readGoldenFile(source: ByteSource, name: string): GoldenFile {
  const { metadata, tensors } = readSafetensors(source);
  const refuse = (what: string, cause?: unknown): ConvbaseError =>
    new ConvbaseError('verify/format', `it is no file of expected values: ${what}`, {
      where: source.name,
      fix: 'Leave only such files in the folder, or fetch it again.',
      cause,
    });
  const text = metadata['cases'];
  if (text === undefined) throw refuse('its metadata has no cases');
  let cases: unknown;
  try {
    cases = JSON.parse(text);
  } catch (cause) {
    throw refuse('its cases are no JSON', cause);
  }
  const list = z.array(caseSchema).safeParse(cases);
  if (list.success) {
    const names = new Set(list.data.map((one) => one.name));
    if (names.size < list.data.length) throw refuse('two of its cases have one name');
    return { name, tensors, contents: { cases: list.data } };
  }
  const model = modelCaseSchema.safeParse(cases);
  if (model.success) return { name, tensors, contents: { model: model.data } };
  throw refuse('its cases are neither a list of named operations nor one model', list.error);
}

/** The tensor of that name as float32. @throws ConvbaseError `file/missing-tensor` */
export function goldenTensor(file: GoldenFile, name: string): GoldenTensor {
  const entry = file.tensors.get(name);
  if (entry !== undefined) return { shape: entry.shape, data: entry.read() };
  throw new ConvbaseError('file/missing-tensor', `it has no tensor ${name}`, { where: file.name });
}

/** The parameters of a case, checked. @throws ConvbaseError `verify/format` naming the first that is wrong */
export function parseParameters<T>(schema: z.ZodType<T>, parameters: unknown, where: string): T {
  const parsed = schema.safeParse(parameters);
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues[0];
  throw new ConvbaseError(
    'verify/format',
    `its parameter ${problem?.path.join('.') ?? ''} is ${problem?.message ?? 'wrong'}`,
    {
      where,
      fix: 'convbase cannot compute what this case describes.',
      cause: parsed.error,
    },
  );
}
