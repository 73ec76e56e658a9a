import { ConvbaseError, visibleJson } from '@convbase/base';
import type { HostArray, Model } from '@convbase/layers';
import { checkSaveLock, fileInFolder, openSource, sha256 } from '#platform';
import {
  MemorySource,
  readSafetensors,
  writeSafetensors,
  type ByteSource,
  type SafetensorsValue,
} from '../formats/index.ts';
import { readIndexed } from '../formats/read-indexed.ts';
import { saveIndexed } from '../save/indexed.ts';
import { parseClassifierConfig, type ClassifierConfig } from './config.ts';
import { buildHead, classProbabilities } from './head.ts';

const CONFIG_FILE = 'classifier.json';
/** Room for the names of the classes and a long history. */
const MAX_CONFIG_BYTES = 1 << 26;
/** What the kernel of the largest head that makes sense takes, and then some. */
const MAX_WEIGHTS_BYTES = 2 ** 32;

/** A class with its probability. */
export interface Prediction {
  readonly className: string;
  readonly probability: number;
}

/**
 * A trained classifier: the head with its weights, and everything that must be known to use it again (which base,
 * which layer, which preprocessing, which classes). On disk it is a folder with `classifier.json` and the weights,
 * `head-<beginning of their SHA-256>.safetensors`, which the former names.
 */
export class Classifier {
  readonly config: ClassifierConfig;
  readonly head: Model;

  constructor(config: ClassifierConfig, head: Model) {
    this.config = config;
    this.head = head;
  }

  /**
   * Reads a classifier folder (in a browser: the URL of one).
   *
   * @throws ConvbaseError `classifier/config`, `classifier/weights`, `file/...` naming the file
   */
  static async load(folder: string): Promise<Classifier> {
    const path = fileInFolder(folder, CONFIG_FILE);
    return readIndexed(
      () => readAll(path, MAX_CONFIG_BYTES),
      (config) => fromConfig(config, folder),
    );
  }

  /**
   * Refuses a folder in which another process saves, before there is a classifier to save in it.
   *
   * @throws ConvbaseError `file/locked` naming that process; `file/..`
   */
  static async checkFolder(folder: string): Promise<void> {
    await checkSaveLock(fileInFolder(folder, CONFIG_FILE));
  }

  /**
   * Writes the folder. A classifier that is there already stays whole until the new one is, and then its weights go.
   *
   * @throws ConvbaseError `file/locked` naming the process that writes there; `disk/full`, `file/..`
   */
  async save(folder: string): Promise<void> {
    const tensors: Record<string, SafetensorsValue> = {};
    for (const variable of this.head.weights) {
      tensors[variable.path] = { shape: variable.shape, data: await variable.read() };
    }
    const weights = writeSafetensors(tensors);
    const headChecksum = await sha256([new MemorySource(weights, folder)]);
    const headFile = `head-${headChecksum.slice(0, 12)}.safetensors`;
    const text = `${visibleJson({ ...this.config, headFile, headChecksum }, 2)}\n`;
    await saveIndexed(
      fileInFolder(folder, CONFIG_FILE),
      [
        [headFile, weights],
        [CONFIG_FILE, new TextEncoder().encode(text)],
      ],
      isHeadFile,
    );
  }

  /** The classes of each row of features (`[n, ...featureShape]`), the likeliest first. */
  async predict(features: HostArray): Promise<Prediction[][]> {
    const output = await this.head.predict(features);
    return rankRows(output, this.config.classNames);
  }
}

/** Reads the weights that `classifier.json` names. */
async function fromConfig(source: ByteSource, folder: string): Promise<Classifier> {
  const text = new TextDecoder().decode(source.bytes(0, source.size));
  const { config, headFile, headChecksum } = parseClassifierConfig(text, source.name);
  const classCount = config.classNames.length;
  const head = buildHead({ featureShape: config.featureShape, classCount, ...config.head });
  const weights = await readAll(fileInFolder(folder, headFile), MAX_WEIGHTS_BYTES);
  const { tensors } = readSafetensors(weights);
  const damaged = (what: string): ConvbaseError =>
    new ConvbaseError('classifier/weights', what, {
      where: weights.name,
      fix: 'Train the classifier again.',
    });
  for (const variable of head.weights) {
    const entry = tensors.get(variable.path);
    if (!entry) throw damaged(`the weight '${variable.path}' is missing`);
    if (entry.dtype !== 'float32' || entry.shape.join() !== variable.shape.join()) {
      throw damaged(
        `'${variable.path}' is ${entry.dtype} [${entry.shape.join()}], not float32 [${variable.shape.join()}]`,
      );
    }
    variable.assign(entry.read().slice());
  }
  if ((await sha256([weights])) !== headChecksum) {
    throw damaged(`it was altered, or is not the file that was saved with ${CONFIG_FILE}`);
  }
  return new Classifier(config, head);
}

/** Names and sorts each row of a model's probabilities, the likeliest first. */
export function rankRows(output: HostArray, classNames: readonly string[]): Prediction[][] {
  const [rows = 0, width = 0] = output.shape;
  return Array.from({ length: rows }, (_, row) =>
    classProbabilities(output.data.subarray(row * width, (row + 1) * width))
      .map((probability, i) => ({ className: classNames[i] ?? `class ${i}`, probability }))
      .sort((a, b) => b.probability - a.probability),
  );
}

/** Whether a file of a classifier's folder holds the weights of a head, of this or an earlier one. */
function isHeadFile(name: string): boolean {
  return /^head(-[0-9a-f]{12})?\.safetensors$/.test(name);
}

async function readAll(path: string, maxBytes: number): Promise<MemorySource> {
  const source = await openSource(path);
  try {
    if (source.size > maxBytes) {
      throw new ConvbaseError('file/too-large', `${source.size} bytes, at most ${maxBytes} make sense`, {
        where: path,
      });
    }
    return new MemorySource(source.bytes(0, source.size), source.name);
  } finally {
    source.close();
  }
}
