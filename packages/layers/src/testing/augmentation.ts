import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { ImageDataGeneratorConfig, TransformParameters } from '../augmentation/index.ts';

interface Encoded {
  readonly shape: readonly number[];
  readonly data: string;
}

interface GeneratorCase {
  readonly picture: string;
  readonly options: ImageDataGeneratorConfig;
  readonly parameters: TransformParameters;
  readonly y: Encoded;
}

interface LayerCase {
  readonly layer: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The uniform numbers of [0, 1) that the layer draws for a picture. */
  readonly draws: readonly number[];
  readonly y: Encoded;
}

interface Fixtures {
  readonly pictures: Readonly<Record<string, Encoded>>;
  readonly generator: readonly GeneratorCase[];
  readonly layers: readonly LayerCase[];
}

/** What Keras makes of small pictures; see fixtures/make_augmentation.py. */
export const kerasAugmentation = JSON.parse(
  readFileSync(new URL('../../fixtures/augmentation.json', import.meta.url), 'utf8'),
) as Fixtures;

/** One of the pictures, as a batch of one. */
export function picture(name: string): { data: Uint8Array; shape: [number, number, number, number] } {
  const encoded = kerasAugmentation.pictures[name];
  const [height = 0, width = 0, channels = 0] = encoded?.shape ?? [];
  return { data: new Uint8Array(bytesOf(encoded)), shape: [1, height, width, channels] };
}

export function floatsOf(encoded: Encoded): Float32Array {
  return new Float32Array(bytesOf(encoded));
}

function bytesOf(encoded: Encoded | undefined): ArrayBuffer {
  return Uint8Array.from(Buffer.from(encoded?.data ?? '', 'base64')).buffer;
}

/** Asserts that no value is further off than this. */
export function expectWithin(actual: Float32Array, expected: Float32Array, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  const errors = actual.map((value, i) => Math.abs(value - (expected[i] ?? NaN)));
  const worst = errors.reduce((a, b) => (b > a || Number.isNaN(b) ? b : a), 0);
  const at = errors.indexOf(worst);
  expect(worst, `at ${at}: ${actual[at]} instead of ${expected[at]}`).toBeLessThanOrEqual(tolerance);
}
