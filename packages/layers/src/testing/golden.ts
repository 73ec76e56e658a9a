import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where golden files lie: beside the project, not in it. */
const folder = fileURLToPath(new URL('../../../../../shared/golden/ops/', import.meta.url));

export interface GoldenTensor {
  readonly shape: number[];
  readonly data: Float32Array;
}

/** Whether the golden file is there; tests that need it are skipped, by name, where it is not. */
export function hasGolden(name: string): boolean {
  return existsSync(`${folder}${name}.safetensors`);
}

export interface Golden {
  readonly cases: readonly Record<string, unknown>[];
  readonly tensors: ReadonlyMap<string, GoldenTensor>;
}

/** Stands in where there is no golden file and every test of it is skipped. */
export const noGolden: Golden = { cases: [], tensors: new Map() };

/** A golden file (safetensors with float32 tensors): its cases, its tensors by name. For tests: it trusts the file. */
export function readGolden(name: string): {
  cases: Record<string, unknown>[];
  tensors: Map<string, GoldenTensor>;
} {
  const file = readFileSync(`${folder}${name}.safetensors`);
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Record<
    string,
    { shape: number[]; data_offsets: [number, number]; cases: string }
  >;
  const tensors = new Map<string, GoldenTensor>();
  let cases: Record<string, unknown>[] = [];
  for (const [key, entry] of Object.entries(header)) {
    if (key === '__metadata__') {
      cases = JSON.parse(entry.cases) as Record<string, unknown>[];
      continue;
    }
    const [begin, end] = entry.data_offsets;
    const bytes = new Uint8Array(file.subarray(8 + length + begin, 8 + length + end));
    tensors.set(key, { shape: entry.shape, data: new Float32Array(bytes.buffer) });
  }
  return { cases, tensors };
}
