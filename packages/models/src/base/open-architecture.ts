import { Model, type Dimension } from '@convbase/layers';
import { applications } from '../applications/index.ts';
import { openModelFile } from '../formats/index.ts';
import { inFile, modelFromConfig } from '../graph/index.ts';
import { resolveModelSource } from '../weights/index.ts';
import { configOf } from './config-of.ts';
import { sourceOptions, type StatusOptions } from './status.ts';

export interface OpenArchitectureOptions extends StatusOptions {
  /** Height, width and channels; default what the model was made for. */
  readonly inputShape?: readonly Dimension[];
  /** With the classifier of the original, for models by name. Default false. */
  readonly includeTop?: boolean;
  /** The last layer wanted; what follows it is left away. */
  readonly until?: string;
}

/**
 * A model by name, file or `npm:` package with initial weights: for looking at its layers, shapes and parameters. No
 * weight is fetched or read.
 *
 * @throws ConvbaseError `model/unknown`, `model/no-config`, and those of reading the file and building the layers
 */
export async function openArchitecture(spec: string, options: OpenArchitectureOptions = {}): Promise<Model> {
  const { inputShape, includeTop = false, until } = options;
  const shape = inputShape ? { inputShape } : {};
  const source = await resolveModelSource(spec, sourceOptions(options));
  if (source.kind === 'application') {
    const whole = await applications[source.model].create({ includeTop, weights: null, ...shape });
    if (until === undefined) return whole;
    return new Model({ inputs: whole.inputs, outputs: [whole.getLayer(until).output], name: whole.name });
  }
  const file = await openModelFile(source.path);
  try {
    const config = configOf(file, spec);
    const wanted = { ...shape, ...(until === undefined ? {} : { until }) };
    return inFile(file, () => modelFromConfig(config, wanted));
  } finally {
    file.close();
  }
}
