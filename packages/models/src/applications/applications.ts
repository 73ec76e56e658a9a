import { ConvbaseError } from '@convbase/base';
import type { Model } from '@convbase/layers';
import { openModelFile } from '../formats/index.ts';
import { loadWeights } from '../graph/index.ts';
import { resolveWeights, type FetchOptions } from '../weights/index.ts';
import { buildArchitecture, type Architecture, type ArchitectureOptions } from './architecture.ts';
import { inceptionV3Architecture } from './inception-v3.ts';
import { resnet50Architecture } from './resnet50.ts';
import { vgg16Architecture, vgg19Architecture } from './vgg.ts';

export interface ApplicationOptions extends ArchitectureOptions, FetchOptions {
  /**
   * `'imagenet'` (the default): found in convbase's cache or Keras', or downloaded; the path of a weight file of any
   * format; or null for initial weights.
   */
  readonly weights?: string | null;
}

/** A pretrained network. */
export interface Application extends Architecture {
  /**
   * Builds it and loads its weights.
   * @throws ConvbaseError those of `buildArchitecture`, of resolving and of reading the weights
   */
  readonly create: (options?: ApplicationOptions) => Promise<Model>;
}

function application(architecture: Architecture): Application {
  return {
    ...architecture,
    create: async (options = {}) => {
      const { includeTop = true, weights = 'imagenet', classes = 1000 } = options;
      if (weights === 'imagenet' && includeTop && classes !== 1000) {
        throw new ConvbaseError('model/classes', `ImageNet's weights are for 1000 classes, not ${classes}`, {
          where: architecture.title,
          fix: 'Leave the top out (includeTop: false) and train a head of your own.',
        });
      }
      const model = buildArchitecture(architecture, options);
      if (weights === null) return model;
      const { path } = await resolveWeights({ ...options, model: architecture.id, includeTop, weights });
      const file = await openModelFile(path);
      try {
        loadWeights(model, file);
      } finally {
        file.close();
      }
      return model;
    },
  };
}

/** The networks by Keras' module names. */
export const applications = {
  vgg16: application(vgg16Architecture),
  vgg19: application(vgg19Architecture),
  inception_v3: application(inceptionV3Architecture),
  resnet50: application(resnet50Architecture),
} as const satisfies Record<string, Application>;

/** The same as in Keras: `await vgg16({ includeTop: false, inputShape: [150, 150, 3] })`. */
export const vgg16 = applications.vgg16.create;
export const vgg19 = applications.vgg19.create;
export const inceptionV3 = applications.inception_v3.create;
export const resnet50 = applications.resnet50.create;

export type ApplicationName = keyof typeof applications;

export function isApplication(name: string): name is ApplicationName {
  return Object.hasOwn(applications, name);
}
