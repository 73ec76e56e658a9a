import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TargetLayer } from '../match.ts';

/** A path in `packages/models/fixtures`; the small models lie in `golden`, beside what is expected of them. */
export function fixture(name: string): string {
  const folder = /^mini_(vgg|inception)\./.test(name) ? 'fixtures/golden' : 'fixtures';
  return fileURLToPath(new URL(`../../../${folder}/${name}`, import.meta.url));
}

/** A path in the folder of big test data beside the repository. */
export function shared(name: string): string {
  return fileURLToPath(new URL(`../../../../../../shared/${name}`, import.meta.url));
}

export const hasShared = existsSync(shared('data/weights'));

/** SHA-256 of values as little-endian float32. */
export function sha256Of(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createHash('sha256').update(bytes).digest('hex');
}

export interface ExpectedLayer extends TargetLayer {
  readonly weights: readonly { readonly name: string; readonly shape: number[]; readonly sha256: string }[];
  readonly layers?: readonly ExpectedLayer[];
}

/** What Keras 3.15 says of its small models: layers in `model.layers` order, weights with the SHA-256 of their values. */
export function expectedLayers(model: 'mini_vgg' | 'mini_inception' | 'nested'): ExpectedLayer[] {
  const all = JSON.parse(readFileSync(fixture('mini_weights.json'), 'utf8')) as Record<
    string,
    ExpectedLayer[]
  >;
  return all[model] ?? [];
}
