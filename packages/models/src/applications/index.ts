export {
  applications,
  inceptionV3,
  isApplication,
  resnet50,
  vgg16,
  vgg19,
  type Application,
  type ApplicationName,
  type ApplicationOptions,
} from './applications.ts';
export { buildArchitecture, type Architecture, type ArchitectureOptions } from './architecture.ts';
