import { ConvbaseError } from '@convbase/base';
import type { KerasModelConfig, ModelFile } from '../formats/index.ts';

/** The graph in a model file. @throws ConvbaseError `model/no-config` for one that holds weights only */
export function configOf(file: ModelFile, where: string): KerasModelConfig {
  if (file.config !== undefined) return file.config;
  throw new ConvbaseError('model/no-config', 'it holds weights, but no description of a model', {
    where,
    fix: 'Give the model that the weights are of, with --weights for this file.',
  });
}
