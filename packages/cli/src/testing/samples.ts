import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Random } from '@convbase/data';

/** A small VGG with 20 x 20 pictures that ships with the models. */
export const miniModel = join(import.meta.dirname, '../../../models/fixtures/golden/mini_vgg.keras');

/** The options that go with it. */
export const miniOptions = ['--model', miniModel, '--preprocess', 'rescale', '--size', '20'] as const;

/** Writes class folders `bars` and `dots` with `count` BMP pictures each, which are easily told apart. */
export async function writePictures(folder: string, count: number, seed = 1): Promise<void> {
  const random = new Random(seed);
  for (const className of ['bars', 'dots']) {
    await mkdir(join(folder, className), { recursive: true });
    for (let i = 0; i < count; i++) {
      const shift = random.below(6);
      const pixels = Uint8Array.from({ length: 24 * 24 }, (_, at) => {
        const [x, y] = [(at % 24) + shift, Math.floor(at / 24) + shift];
        const on = y % 6 < 3 && (className === 'bars' || x % 6 < 3);
        return (on ? 200 : 30) + random.below(40);
      });
      await writeFile(join(folder, className, `${String(i).padStart(3, '0')}.bmp`), bmp(pixels, 24));
    }
  }
}

/** A square grey picture as an uncompressed 24-bit BMP; rows must be a multiple of 4 bytes. */
function bmp(pixels: Uint8Array, side: number): Uint8Array {
  const bytes = new Uint8Array(54 + side * side * 3);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x424d);
  const header = [bytes.length, 0, 54, 40, side, side];
  header.forEach((value, i) => {
    view.setUint32(2 + i * 4, value, true);
  });
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let i = 0; i < side * side; i++) {
    // Rows go from the bottom.
    const at = (side - 1 - Math.floor(i / side)) * side + (i % side);
    bytes.fill(pixels[i] ?? 0, 54 + at * 3, 57 + at * 3);
  }
  return bytes;
}

/** Writes MNIST files with `train` and `test` synthetic digits: digit d is d bright rows on noise. */
export async function writeDigits(folder: string, train: number, test: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const random = new Random(2);
  for (const [part, count] of [
    ['train', train],
    ['t10k', test],
  ] as const) {
    const images = new Uint8Array(count * 784);
    const labels = Uint8Array.from({ length: count }, () => random.below(10));
    for (let i = 0; i < images.length; i++) {
      const row = Math.floor((i % 784) / 28);
      const bright = row < 2 * (labels[Math.floor(i / 784)] ?? 0);
      images[i] = (bright ? 200 : 0) + random.below(50);
    }
    await writeFile(join(folder, `${part}-images-idx3-ubyte`), idx([count, 28, 28], images));
    await writeFile(join(folder, `${part}-labels-idx1-ubyte`), idx([count], labels));
  }
}

function idx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint32(0, 0x0800 + shape.length);
  shape.forEach((size, axis) => {
    header.setUint32(4 + 4 * axis, size);
  });
  return Buffer.concat([new Uint8Array(header.buffer), data]);
}

/** The file with the weights in the folder of a classifier, which has no other files but these two. */
export async function headFile(folder: string): Promise<string> {
  const [config, head = '', ...others] = (await readdir(folder)).sort();
  if (config !== 'classifier.json' || !/^head-[0-9a-f]{12}\.safetensors$/.test(head) || others.length > 0) {
    throw new Error(`${folder} holds ${[config, head, ...others].join(', ')}`);
  }
  return join(folder, head);
}
