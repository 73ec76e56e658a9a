import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { encodePicture, Random } from '@convbase/data';
import { parseRecipe, type Recipe } from '../recipe/index.ts';

/** A small VGG for 20 x 20 pictures that ships with the models. */
export const miniBase = fileURLToPath(
  new URL('../../../models/fixtures/golden/mini_vgg.keras', import.meta.url),
);

/** Writes `count` pictures each of bars and dots, which are easily told apart, into a folder of class folders. */
export async function writePictures(folder: string, count: number, seed: number): Promise<void> {
  const random = new Random(seed);
  for (const className of ['bars', 'dots']) {
    await mkdir(join(folder, className), { recursive: true });
    for (let i = 0; i < count; i++) {
      const shift = random.below(6);
      const grey = Uint8Array.from({ length: 24 * 24 }, (_, at) => {
        const [x, y] = [(at % 24) + shift, Math.floor(at / 24) + shift];
        const on = y % 6 < 3 && (className === 'bars' || x % 6 < 3);
        return (on ? 200 : 30) + random.below(40);
      });
      const data = Uint8Array.from({ length: 3 * grey.length }, (_, at) => grey[Math.floor(at / 3)] ?? 0);
      const png = await encodePicture({ data, width: 24, height: 24 });
      await writeFile(join(folder, className, `${String(i).padStart(3, '0')}.png`), png);
    }
  }
}

/** A data folder with `train`, `validation` and `test`. */
export async function writeData(folder: string): Promise<void> {
  await writePictures(join(folder, 'train'), 18, 1);
  await writePictures(join(folder, 'validation'), 6, 2);
  await writePictures(join(folder, 'test'), 6, 3);
}

const start = `
title: bars and dots
data: { kind: folder, train: [train], validation: [validation], test: [test],
  size: 20, resize: nearest, preprocess: rescale, batchSize: 8 }
model:
  base: ${JSON.stringify(miniBase)}
  head: { units: 12, activation: relu, dropout: 0.3, l2: 0.001 }
`;

/** A recipe for that data on the small base; `stages` is YAML. */
export function miniRecipe(stages: string): Recipe {
  return parseRecipe(`${start}stages:\n${stages}`, 'mini.yaml');
}

/** A head on cached outputs, then the end of the base with augmentation. */
export const twoStages = `
  - name: head
    unfreeze: none
    optimizer: { name: adam, learningRate: 0.01 }
    epochs: 2
    restoreBest: val_loss
  - name: finetune
    unfreeze: { last: 3 }
    head: continue
    optimizer: { name: rmsprop, learningRate: 0.001 }
    augmentation: { generator: { rotationRange: 30, zoomRange: 0.2, horizontalFlip: true } }
    epochs: 2
`;
