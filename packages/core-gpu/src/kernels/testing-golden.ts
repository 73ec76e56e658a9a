import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the golden files lie: beside the project, not in it. */
const goldenFolder = fileURLToPath(new URL('../../../../../shared/golden/ops/', import.meta.url));

/** One tensor of a golden file. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A golden file: its list of cases and its tensors by full name (`<case>.<role>`). */
export interface GoldenFile<Case> {
  readonly cases: readonly Case[];
  /** The tensor `<case>.<role>`; throws if the file has none. */
  readonly tensor: (name: string) => GoldenTensor;
  readonly has: (name: string) => boolean;
}

/** Whether the golden files are there. Tests that need them: `describe.skipIf(!hasGolden('conv2d'))(...)`. */
export function hasGolden(name: string): boolean {
  return existsSync(`${goldenFolder}${name}.safetensors`);
}

/**
 * Reads `golden/ops/<name>.safetensors` (8-byte little-endian header length, JSON header, raw data). For tests only:
 * it trusts the file and knows only F32.
 */
export function readGolden<Case extends { readonly name: string }>(name: string): GoldenFile<Case> {
  const file = readFileSync(`${goldenFolder}${name}.safetensors`);
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Record<string, unknown>;
  const metadata = header['__metadata__'] as { readonly cases: string };
  const entries = header as Record<string, { shape: number[]; data_offsets: [number, number] } | undefined>;
  return {
    cases: JSON.parse(metadata.cases) as Case[],
    has: (tensor) => tensor in entries,
    tensor: (tensor) => {
      const entry = entries[tensor];
      if (!entry) throw new Error(`golden file ${name} has no tensor ${tensor}`);
      const [begin, end] = entry.data_offsets;
      // Copied, because a Float32Array must start at a multiple of 4 bytes.
      const bytes = new Uint8Array(file.subarray(8 + headerLength + begin, 8 + headerLength + end));
      return { shape: entry.shape, data: new Float32Array(bytes.buffer) };
    },
  };
}
