import { ConvbaseError, issueLines, parseJson } from '@convbase/base';
import { z } from 'zod';

const positive = z.number().int().positive();
/** Pictures of 16384 x 16384 pixels are 800 MB as bytes. */
const pixels = positive.max(1 << 14);

const configSchema = z.object({
  format: z.literal('convbase-classifier'),
  version: z.literal(1),
  /** The pretrained model whose features the head was trained on. */
  base: z.object({
    /** A model's name, file or `npm:` package. */
    model: z.string().min(1),
    /** The weight file, where one was named. */
    weights: z.string().nullable(),
    /** SHA-256 of the weight file. */
    checksum: z.string(),
    /** The layer whose output the features are. */
    layer: z.string(),
  }),
  /** What is done to a picture before the base sees it. */
  input: z.object({
    /** Height and width. */
    size: z.tuple([pixels, pixels]),
    preprocess: z.enum(['caffe', 'tf', 'rescale', 'none']),
    resize: z.enum(['nearest', 'bilinear', 'pil-bilinear', 'pad']),
  }),
  classNames: z.array(z.string()).min(2).max(100_000),
  /** Shape of one picture's features, without the batch. */
  featureShape: z.array(positive).min(1).max(8),
  head: z.object({
    /** Units of the hidden dense layer; 0 for none. */
    units: z.number().int().nonnegative().max(1_000_000),
    activation: z.enum(['linear', 'relu', 'sigmoid', 'tanh', 'softmax']),
    dropout: z.number().min(0).lt(1),
  }),
  training: z.object({
    optimizer: z.string(),
    learningRate: z.number().positive(),
    epochs: z.number().int().nonnegative(),
    batchSize: positive,
    seed: z.number().int().nonnegative(),
    samples: positive,
    /** The adapter it was trained on. */
    adapter: z.string(),
    /** One value an epoch: `loss`, `accuracy`, `val_loss` .. JSON has no NaN: a loss that diverged is null there. */
    history: z.record(
      z.string(),
      z.array(
        z
          .number()
          .nullable()
          .transform((value) => value ?? NaN),
      ),
    ),
  }),
});

/** What must be known of a trained classifier to use it again. */
export type ClassifierConfig = z.infer<typeof configSchema>;

/** A `classifier.json`: the configuration, and the weight file that goes with it. */
const fileSchema = configSchema.extend({
  /** A file in the same folder. */
  headFile: z
    .string()
    .regex(/^[\w-]{1,100}\.safetensors$/, 'it is not the name of a .safetensors file in the folder')
    // The only name before files were named by their content.
    .default('head.safetensors'),
  /** Its SHA-256 in hex. */
  headChecksum: z.string(),
});

/** What a `classifier.json` says of the file with the weights. */
export interface HeadFile {
  readonly headFile: string;
  readonly headChecksum: string;
}

/** Parses and checks the text of a `classifier.json`. */
export function parseClassifierConfig(text: string, where: string): { config: ClassifierConfig } & HeadFile {
  const fix = 'Give the folder that `convbase train --out` wrote, or train again.';
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (cause) {
    throw new ConvbaseError('classifier/config', 'it is not JSON', { where, fix, cause });
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) {
    const { headFile, headChecksum, ...config } = parsed.data;
    return { config, headFile, headChecksum };
  }
  throw new ConvbaseError('classifier/config', issueLines(parsed.error.issues), { where, fix });
}
