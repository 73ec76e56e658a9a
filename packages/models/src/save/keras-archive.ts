import { ConvbaseError } from '@convbase/base';
import type { Model } from '@convbase/layers';
import { configOf } from '../graph/index.ts';
import { weightStore } from './weight-store.ts';
import { zipFile } from './zip-writer.ts';

/** The version of Keras whose format is written. */
const KERAS_VERSION = '3.15.0';

/** The files of equal models are equal, whenever they are saved. Keras does not read it, and zip knows no earlier time. */
const DATE_SAVED = '1980-01-01@00:00:00';

/** Zip counts in 32 bits; a little is left for the config. */
const MAX_WEIGHT_BYTES = 2 ** 32 - 2 ** 26;

/**
 * A model as Keras 3 saves it (`.keras`), piece by piece: a zip archive of `metadata.json`, `config.json` and
 * `model.weights.h5`.
 *
 * @param more further files by name; Keras leaves them alone
 * @throws ConvbaseError `file/too-large` for weights of 4 GB and more
 */
export function kerasArchive(
  model: Model,
  more: Readonly<Record<string, string>> = {},
): AsyncGenerator<Uint8Array> {
  const bytes = 4 * model.countParams();
  if (bytes > MAX_WEIGHT_BYTES) {
    throw new ConvbaseError('file/too-large', `weights of ${bytes} bytes do not fit into a .keras file`, {
      where: model.name,
      fix: 'Save it as .safetensors or .weights.h5.',
    });
  }
  const encoder = new TextEncoder();
  const metadata = { keras_version: KERAS_VERSION, date_saved: DATE_SAVED };
  return zipFile([
    ['metadata.json', encoder.encode(JSON.stringify(metadata))],
    ['config.json', encoder.encode(JSON.stringify({ ...configOf(model), compile_config: null }))],
    ...Object.entries(more).map(([name, text]) => [name, encoder.encode(text)] as const),
    ['model.weights.h5', weightStore(model)],
  ]);
}
