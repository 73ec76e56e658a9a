import { ConvbaseError, issueLines, visibleJson } from '@convbase/base';
import { z } from 'zod';
import { parseJson } from '../formats/checks.ts';

const positive = z.number().int().positive();
/** Pictures of 16384 x 16384 pixels are 800 MB as bytes. */
const pixels = positive.max(1 << 14);

const infoSchema = z.object({
  /** The classes in the order of the model's output; two for a model with one sigmoid unit, whose output is the second's. */
  classNames: z.array(z.string()).min(2).max(100_000),
  /** What is done to a picture before the model sees it. */
  input: z.object({
    /** Height and width. */
    size: z.tuple([pixels, pixels]),
    /** `none` for a model that does it itself. */
    preprocess: z.enum(['caffe', 'tf', 'rescale', 'none']),
    resize: z.enum(['nearest', 'bilinear', 'pil-bilinear', 'pad']),
  }),
  /** How it was trained: whatever the one who trained it wants to be remembered (recipe, adapter, history ..). */
  training: z.record(z.string(), z.json()).default({}),
});

/** What must be known beside the model to classify pictures with it. */
export type ClassifierInfo = z.infer<typeof infoSchema>;

const fileSchema = infoSchema.extend({
  format: z.literal('convbase-classifier-file'),
  version: z.literal(1),
});

/** The text of the archive's `convbase.json`. */
export function classifierInfoText(info: ClassifierInfo): string {
  const head = { format: 'convbase-classifier-file', version: 1 } as const;
  return `${visibleJson({ ...head, ...infoSchema.parse(info) }, 2)}\n`;
}

/** Parses and checks a `convbase.json`. @throws ConvbaseError `classifier/config` */
export function parseClassifierInfo(text: string, where: string): ClassifierInfo {
  const parsed = fileSchema.safeParse(parseJson(text, where));
  if (parsed.success) {
    const { classNames, input, training } = parsed.data;
    return { classNames, input, training };
  }
  throw new ConvbaseError('classifier/config', issueLines(parsed.error.issues), {
    where,
    fix: 'Save the classifier again with this version of convbase.',
  });
}
