import { join } from 'node:path';
import { makeFolder, remove, systemTemporaryFolder, writeFileAtomic } from '@convbase/base/node';
import { encodePicture } from '@convbase/data';
import type { Model } from '@convbase/layers';
import { saveModel } from '@convbase/models';
import { noise } from '../inputs.ts';
import type { Materials } from '../protocol.ts';
import { buildNetwork, type Network } from './network.ts';

/** Made pictures are as large as a middling photo of the web. */
const PICTURE = { width: 500, height: 375 };

/** The files that contenders read, each made once, in a temporary folder. */
export class Files {
  readonly #folder: string;
  readonly #networks = new Map<string, Promise<{ model: Model; materials: Materials }>>();
  readonly #pictures = new Map<number, Promise<string>>();
  #scratches = 0;

  readonly #onnx: boolean;

  private constructor(folder: string, onnx: boolean) {
    this.#folder = folder;
    this.#onnx = onnx;
  }

  /** @param options `onnx`: whether networks are also written for ONNX runtimes */
  static async make({ onnx = false } = {}): Promise<Files> {
    return new Files(await systemTemporaryFolder('convbase-bench'), onnx);
  }

  /** A network: the model, and its files. */
  network(network: Network): Promise<{ model: Model; materials: Materials }> {
    const key = JSON.stringify(network);
    const found = this.#networks.get(key);
    if (found !== undefined) return found;
    const made = this.#write(network, join(this.#folder, `model-${this.#networks.size}`));
    this.#networks.set(key, made);
    return made;
  }

  /** A folder with two classes of JPEG pictures. */
  pictures(count: number): Promise<string> {
    const found = this.#pictures.get(count);
    if (found !== undefined) return found;
    const made = writePictures(join(this.#folder, `pictures-${count}`), count);
    this.#pictures.set(count, made);
    return made;
  }

  /** The path of a folder that is nobody else's. */
  async scratch(): Promise<string> {
    const folder = join(this.#folder, `scratch-${this.#scratches++}`);
    await makeFolder(folder);
    return folder;
  }

  async remove(): Promise<void> {
    await remove(this.#folder);
  }

  async #write(network: Network, folder: string): Promise<{ model: Model; materials: Materials }> {
    const model = await buildNetwork(network);
    await makeFolder(folder);
    const path = join(folder, 'model.json');
    await saveModel(model, path);
    // The packages of ONNX Runtime do not train.
    if (!this.#onnx || network.kind !== 'base') return { model, materials: { model: path } };
    const onnx = join(folder, 'model.onnx');
    // Only now: the library that it is written with need not be installed.
    const { exportOnnx } = await import('../onnx/export.ts');
    await exportOnnx(path, onnx);
    return { model, materials: { model: path, onnx } };
  }
}

async function writePictures(folder: string, count: number): Promise<string> {
  for (const label of ['cats', 'dogs']) await makeFolder(join(folder, label));
  for (let i = 0; i < count; i++) {
    const path = join(folder, i % 2 === 0 ? 'cats' : 'dogs', `${String(i).padStart(5, '0')}.jpg`);
    await writeFileAtomic(path, await encodePicture(madePicture(i), 'jpeg'));
  }
  return folder;
}

/** Smooth colours with some grain: decoding it takes about as long as decoding a photo. */
function madePicture(seed: number): { width: number; height: number; data: Uint8Array } {
  const { width, height } = PICTURE;
  const grain = noise(width * height * 3, seed + 1);
  const data = grain.map((value, i) => {
    const [channel, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return 128 + 70 * Math.sin(x / 40 + seed) * Math.cos(y / 30 + channel) + 20 * value;
  });
  return { width, height, data: Uint8Array.from(data) };
}
