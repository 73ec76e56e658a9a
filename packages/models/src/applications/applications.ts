import { vgg16Architecture, vgg19Architecture } from './vgg.ts';
import { inceptionV3Architecture } from './inception-v3.ts';
import { resnet50Architecture } from './resnet50.ts';
import type { Architecture } from './architecture.ts';
export type ApplicationName = 'vgg16' | 'vgg19' | 'inception_v3' | 'resnet50';
export const applications: Readonly<Record<ApplicationName, { architecture: Architecture }>> = {
  vgg16: { architecture: vgg16Architecture },
  vgg19: { architecture: vgg19Architecture },
  inception_v3: { architecture: inceptionV3Architecture },
  resnet50: { architecture: resnet50Architecture },
};
