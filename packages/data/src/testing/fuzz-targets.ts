import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { ConvbaseError } from '@convbase/base';
import {
  among,
  damagedBytes,
  damagedJsonFile,
  damagedText,
  decode,
  encode,
  inFolder,
  noiseBehind,
  type FuzzTarget,
  type Input,
} from '../../../base/src/testing/fuzz-target.ts';
import { featureFiles } from '../features/manifest.ts';
import { decodeImage, Features, mnistIdx, PictureError, readNpy } from '../index.ts';
import { encodeNpyHeader } from '../npy/format.ts';

/** The readers of this package; `scratch` is a folder for their files. */
export async function fuzzTargets(scratch: string): Promise<FuzzTarget[]> {
  return [...(await pictureTargets()), npyTarget(scratch), ...mnistTargets(scratch), featuresTarget(scratch)];
}

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures', 'decode');

/** What the files of a kind start with, and where in them structures lie. */
const kinds = {
  jpeg: { ending: '.jpg', start: '\xff\xd8\xff\xe0', structures: /\xff[\xc0-\xfe]/gs },
  png: { ending: '.png', start: '\x89PNG\r\n\x1a\n', structures: /IHDR|IDAT|PLTE|tRNS|IEND/gs },
  webp: { ending: '.webp', start: 'RIFF\xff\xff\0\0WEBPVP8 ', structures: /RIFF|VP8[ LX]|ALPH/gs },
  gif: { ending: '.gif', start: 'GIF89a', structures: /GIF|[!,]/gs },
  tiff: { ending: '.tif', start: 'II*\0\x08\0\0\0', structures: /II\*|[\0\x01][\x01-\x05]\0/gs },
  bmp: { ending: '.bmp', start: 'BM', structures: /BM/gs },
  avif: {
    ending: '.avif',
    start: '\0\0\0\x1cftypavif',
    structures: /ftyp|meta|iloc|iinf|iprp|ispe|av1C|mdat/gs,
  },
};

async function pictureTargets(): Promise<FuzzTarget[]> {
  const names = await readdir(fixtures);
  return Promise.all(
    Object.entries(kinds).map(async ([kind, { ending, start, structures }]) => {
      const files = names.filter((name) => name.endsWith(ending) && !/exif_[2-8]/.test(name));
      const originals = await Promise.all(
        kind === 'avif' ? [smallAvif()] : files.map(async (name) => readFile(join(fixtures, name))),
      );
      const damaged = originals.map((original) => {
        const text = original.toString('latin1');
        const places = Array.from(text.matchAll(structures), ({ index }) => index);
        return damagedBytes(new Uint8Array(original), [0, 16, 32, ...places]);
      });
      const noise = { weight: 1, arbitrary: noiseBehind([start]) };
      const picture = fc.oneof(noise, ...damaged.map((arbitrary) => ({ weight: 3, arbitrary })));
      return {
        name: `picture-${kind}`,
        whole: await Promise.all(
          originals.map(async (original) => {
            const { width = 0, height = 0 } = await sizeOf(original);
            return { input: { picture: new Uint8Array(original) }, gives: width * height * 3 };
          }),
        ),
        damaged: picture.map((bytes) => ({ picture: bytes })),
        read: readPicture,
        runs: 300,
        deep: kind === 'gif' ? 20 : 30,
      };
    }),
  );
}

/** Another reader's word for the size, where there is one. */
async function sizeOf(bytes: Buffer): Promise<{ width?: number; height?: number }> {
  if (bytes.toString('latin1', 0, 2) !== 'BM') return sharp(bytes).metadata();
  return { width: bytes.readInt32LE(18), height: Math.abs(bytes.readInt32LE(22)) };
}

async function smallAvif(): Promise<Buffer> {
  const data = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * 7) % 256);
  return sharp(data, { raw: { width: 16, height: 16, channels: 3 } })
    .avif({ effort: 0 })
    .toBuffer();
}

async function readPicture({ picture = new Uint8Array() }: Input): Promise<number> {
  try {
    const { width, height, data } = await decodeImage(picture, 'picture');
    if (data.length !== width * height * 3) throw new Error(`${data.length} bytes of ${width}x${height}`);
    return data.length;
  } catch (error) {
    // What skips bad pictures goes by the class.
    if (error instanceof ConvbaseError && !(error instanceof PictureError)) throw new Error(error.code);
    throw error;
  }
}

function npy(values: Float32Array | Int32Array, shape: readonly number[]): Uint8Array {
  const header = encodeNpyHeader(values instanceof Float32Array ? 'float32' : 'int32', shape);
  return new Uint8Array(Buffer.concat([header, new Uint8Array(values.buffer)]));
}

const headerWords = ['(', ')', ',', '0', '9'.repeat(16), '-', "'", ' ', 'L', '<f8', '|u1', '[', '{', '}'];

/** A .npy file with damaged bytes, or words in the place of others in its header. */
function damagedNpy(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const text = decode(original.subarray(10, 128));
  const renewed = damagedText(text, headerWords).map((header) => {
    const bytes = Buffer.concat([original.subarray(0, 10), header, original.subarray(128)]);
    bytes.writeUInt16LE(header.length, 8);
    return new Uint8Array(bytes);
  });
  return fc.oneof(damagedBytes(original, [6, 8, 16, 40, 60, 64]), renewed);
}

function npyTarget(scratch: string): FuzzTarget {
  const file = npy(Float32Array.of(1, 2, 3, 4, NaN, 6), [2, 3]);
  return {
    name: 'npy',
    whole: [{ input: { 'a.npy': file }, gives: 6 }],
    damaged: damagedNpy(file).map((bytes) => ({ 'a.npy': bytes })),
    read: async (input) => (await readNpy(join(inFolder(join(scratch, 'npy'), input), 'a.npy'))).data.length,
    runs: 1200,
  };
}

function mnistTargets(scratch: string): FuzzTarget[] {
  const part = (type: number, sizes: number[], data: number[]): Uint8Array =>
    Uint8Array.from([0, 0, 8, type, ...sizes.flatMap((size) => [0, 0, 0, size]), ...data]);
  const images = part(3, [2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
  const labels = part(1, [2], [3, 9]);
  const [imageFile, labelFile] = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'];
  const target = (name: string, pack: (bytes: Uint8Array) => Uint8Array): FuzzTarget => {
    const whole = { [imageFile]: pack(images), [labelFile]: pack(labels) };
    return {
      name,
      whole: [{ input: whole, gives: 12 + 3 }],
      damaged: fc.oneof(
        among(whole, {
          [imageFile]: damagedBytes(images, [0, 4, 8, 12]).map(pack),
          [labelFile]: damagedBytes(labels, [0, 4]).map(pack),
        }),
        among(whole, { [imageFile]: damagedBytes(pack(images), [0, 10]) }),
      ),
      read: async (input) => {
        const { train } = await mnistIdx(inFolder(join(scratch, name), input));
        if (train === undefined) return 0;
        return (await train.picture(train.length - 1)).data.length + train.label(0);
      },
      runs: 600,
    };
  };
  return [target('idx', (bytes) => bytes), target('idx-gz', (bytes) => new Uint8Array(gzipSync(bytes)))];
}

function featuresTarget(scratch: string): FuzzTarget {
  const manifest = {
    ...{ format: 'convbase-features', version: 1, complete: true, skipped: ['a.jpg'] },
    base: { model: 'vgg16', weights: null, checksum: 'x', layer: 'l' },
    input: { size: [8, 8], preprocess: 'caffe', resize: 'nearest' },
    source: { path: 'p', listing: 'x', samples: 3 },
    ...{ classNames: ['a', 'b'], featureShape: [3] },
  };
  const whole = {
    [featureFiles.manifest]: encode(JSON.stringify(manifest)),
    [featureFiles.features]: npy(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]),
    [featureFiles.labels]: npy(Int32Array.of(0, 1), [2]),
    [featureFiles.samples]: npy(Int32Array.of(0, 2), [2]),
  };
  return {
    name: 'features',
    whole: [{ input: whole, gives: [0, 1, 1, 2, 3, 4, 5, 6] }],
    damaged: fc.oneof(
      { weight: 2, arbitrary: among(whole, { [featureFiles.manifest]: damagedJsonFile(manifest) }) },
      {
        weight: 1,
        arbitrary: among(whole, {
          [featureFiles.features]: damagedNpy(whole[featureFiles.features]),
          [featureFiles.labels]: damagedNpy(whole[featureFiles.labels]),
          [featureFiles.samples]: damagedNpy(whole[featureFiles.samples]),
        }),
      },
    ),
    read: async (input) => {
      const features = await Features.open(inFolder(join(scratch, 'features'), input));
      try {
        const rows = Array.from(features.labels, (_, row) => row);
        return [...features.labels, ...(await features.rows(rows))];
      } finally {
        await features.close();
      }
    },
    runs: 800,
  };
}
