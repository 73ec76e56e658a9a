import { createHash } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  among,
  damagedBytes,
  damagedJsonFile,
  encode,
  inFolder,
  type FuzzTarget,
  type Input,
} from '../../../../base/src/testing/fuzz-target.ts';
import { prefixFiles } from '../../prefix/manifest.ts';
import { openRows } from '../../prefix/rows.ts';

/** Folders whose files are damaged and whose manifest says that they are meant so, or whose manifest is damaged. */
export function prefixTarget(scratch: string): FuzzTarget {
  const npy = (descr: string, shape: string, values: Float32Array | Int32Array): Uint8Array => {
    const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117) + '\n';
    const start = Buffer.from('\x93NUMPY\x01\0\x76\0', 'latin1');
    return new Uint8Array(Buffer.concat([start, Buffer.from(header), new Uint8Array(values.buffer)]));
  };
  const data = {
    [prefixFiles.output(0)]: npy('<f4', '(2, 3)', Float32Array.of(1, 2, 3, 4, 5, 6)),
    [prefixFiles.output(1)]: npy('<f4', '(2, 1, 2)', Float32Array.of(7, 8, 9, 10)),
    [prefixFiles.samples]: npy('<i4', '(2,)', Int32Array.of(0, 2)),
  };
  const manifestOf = (files: Input): object => ({
    ...{ format: 'convbase-prefix', version: 1, key: 'key', rows: 2, shapes: [[3], [1, 2]] },
    skipped: [{ index: 1, name: 'b.jpg' }],
    files: Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [
        name,
        { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
      ]),
    ),
  });
  const withManifest = (files: Input): Input => ({
    ...files,
    [prefixFiles.manifest]: encode(JSON.stringify(manifestOf(files))),
  });
  const damagedData = Object.entries(data).map(([name, bytes]) => [
    name,
    damagedBytes(bytes, [6, 8, 60, 70, 80]),
  ]);
  return {
    name: 'prefix',
    whole: [{ input: withManifest(data), gives: [0, 2, 4, 5, 6, 9, 10, 1, 2, 3, 7, 8] }],
    damaged: fc.oneof(
      {
        weight: 2,
        arbitrary: damagedJsonFile(manifestOf(data)).map((json) => ({
          ...data,
          [prefixFiles.manifest]: json,
        })),
      },
      {
        weight: 1,
        arbitrary: among(
          data,
          Object.fromEntries(damagedData) as Record<string, fc.Arbitrary<Uint8Array>>,
        ).map(withManifest),
      },
    ),
    read: async (input) => {
      const folder = inFolder(join(scratch, 'prefix'), input);
      const rows = await openRows(folder, 'key', 1e9);
      const onDisk = await openRows(folder, 'key', 0);
      try {
        const numbers = Array.from(rows.samples, (_, row) => row).reverse();
        const read = await Promise.all(numbers.map((row) => rows.read([row])));
        await onDisk.read(numbers);
        return [...rows.samples, ...read.flatMap((outputs) => outputs.flatMap((one) => [...one.data]))];
      } finally {
        await rows.close();
        await onDisk.close();
      }
    },
    runs: 1000,
  };
}
