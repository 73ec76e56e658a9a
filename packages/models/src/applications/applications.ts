import type { Model } from '@convbase/layers';
import { openModelFile } from '../formats/index.ts';
import { loadWeights } from '../graph/index.ts';
import { buildArchitecture, type Architecture, type ArchitectureOptions } from './architecture.ts';
import { inceptionV3Architecture } from './inception-v3.ts';
import { resnet50Architecture } from './resnet50.ts';
import { vgg16Architecture, vgg19Architecture } from './vgg.ts';

export interface ApplicationOptions extends ArchitectureOptions {
  /** `'imagenet'` (the default), the path of a weight file, or null for initial weights. */
  readonly weights?: string | null;
}

/** A pretrained network. */
export interface Application extends Architecture {
  /** Builds it and loads its weights. */
  create(options?: ApplicationOptions): Promise<Model>;
}

function application(architecture: Architecture): Application {
  return {
    ...architecture,
    create: async (options = {}) => {
      const model = buildArchitecture(architecture, options);
      if (options.weights) {
        const file = await openModelFile(options.weights);
        loadWeights(model, file);
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

export type ApplicationName = keyof typeof applications;

export function isApplication(name: string): name is ApplicationName {
  return Object.hasOwn(applications, name);
}
