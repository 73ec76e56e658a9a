import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { ConvbaseError } from '@convbase/base';
import { damage, damages, signaturesIn } from '../../../base/src/testing/damage.ts';
import { damagedJson, jsonDamages } from '../../../base/src/testing/damaged-json.ts';
import { endsWell, fuzz } from '../../../base/src/testing/fuzz.ts';
import { modelFromFile } from '../graph/index.ts';
import { openModelFile, writeSafetensors } from './index.ts';
import type { FilesInMemory } from './index.ts';
import { fixture } from './testing/files.ts';

/** Opens a file, reads every tensor and builds the model it describes. */
async function readAll(file: Uint8Array | FilesInMemory): Promise<number> {
  const opened = await openModelFile(file, { name: 'hostile' });
  try {
    let values = 0;
    for (const layer of opened.layers) for (const weight of layer.weights) values += weight.read().length;
    if (opened.config !== undefined) modelFromFile(opened);
    return values;
  } finally {
    opened.close();
  }
}

const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(fixture(name)));
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('HDF5 and zip', () => {
  const names = ['mini_vgg', 'nested'].flatMap((model) =>
    ['keras', 'h5', 'weights.h5'].map((extension) => `${model}.${extension}`),
  );
  test.each([...names, 'mini_inception.h5', 'odd.h5'])('%s', async (name) => {
    const original = bytesOf(name);
    const signatures = signaturesIn(original);
    const values = await readAll(original);
    await fuzz(damages, 120, async (list) => {
      await endsWell(() => readAll(damage(original, list, signatures)));
    });
    expect(await readAll(original), 'the library still works').toBe(values);
  });

  test('noise behind a signature', async () => {
    const starts = [
      '\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0',
      'PK\x03\x04',
      '\x10\0\0\0\0\0\0\0{',
      '{"modelTopology":',
    ];
    const noise = fc.tuple(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 5000 }));
    await fuzz(noise, 300, async ([start, rest]) => {
      const bytes = Uint8Array.from([...Buffer.from(start, 'latin1'), ...rest]);
      expect(await endsWell(() => readAll(bytes))).toBeInstanceOf(ConvbaseError);
    });
  });
});

test('the config in a .keras archive', async () => {
  for (const name of ['mini_inception', 'nested']) {
    const files = unzipSync(bytesOf(`${name}.keras`));
    const config = JSON.parse(new TextDecoder().decode(files['config.json'])) as unknown;
    await fuzz(jsonDamages, 100, async (list) => {
      const archive = { ...files, 'config.json': encode(damagedJson(config, list)) };
      await endsWell(() => readAll(zipSync(archive, { level: 0 })));
    });
  }
});

describe('safetensors', () => {
  const file = writeSafetensors(
    {
      'a/kernel': { shape: [2, 3], data: Float32Array.of(1, 2, 3, NaN, Infinity, 6) },
      b: { shape: [], data: Int32Array.of(7) },
    },
    { note: 'text' },
  );
  const headerBytes = Number(new DataView(file.buffer).getBigUint64(0, true));

  test('damaged bytes', async () => {
    await fuzz(damages, 1500, async (list) => {
      await endsWell(() => readAll(damage(file, list, [0, 8, 8 + headerBytes])));
    });
  });

  test('a damaged header', async () => {
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerBytes))) as unknown;
    await fuzz(jsonDamages, 1500, async (list) => {
      const json = encode(damagedJson(header, list));
      const bytes = new Uint8Array(8 + json.length + 28);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
      bytes.set(json, 8);
      bytes.set(file.subarray(8 + headerBytes), 8 + json.length);
      await endsWell(() => readAll(bytes));
    });
  });
});

test('tfjs', async () => {
  const dense = { class_name: 'Dense', config: { name: 'd', units: 2, batch_input_shape: [null, 3] } };
  const weights = [
    { name: 'd/kernel', shape: [3, 2], dtype: 'float32' },
    { name: 'd/bias', shape: [2], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.1, min: -1 } },
  ];
  const model = {
    format: 'layers-model',
    modelTopology: { model_config: { class_name: 'Sequential', config: { name: 's', layers: [dense] } } },
    weightsManifest: [{ paths: ['a.bin', 'b/c.bin'], weights }],
  };
  const files = { 'a.bin': new Uint8Array(20), 'b/c.bin': new Uint8Array(6) };
  expect(await readAll({ ...files, 'model.json': encode(JSON.stringify(model)) })).toBe(8);
  await fuzz(jsonDamages, 2000, async (list) => {
    await endsWell(() => readAll({ ...files, 'model.json': encode(damagedJson(model, list)) }));
  });
});
