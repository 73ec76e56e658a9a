/**
 * A hash of what decides which numbers the kernels compute and how fast: the shaders, and the TypeScript that chooses
 * and plans them. Tests, references, ladders and READMEs change neither and do not count.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const beside = /(^|\/)((ladders?|reference|testing[^/]*)\.ts|[^/]*\.test\.ts)$/;

/**
 * @param {string} folder of the kernels
 * @param {string} version of the package: the shader compiler that it depends on comes with it
 * @returns {string} 16 hexadecimal digits
 */
export function hashKernels(folder, version) {
  const hash = createHash('sha256').update(version);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\.(wgsl|ts)$/.test(file) && !beside.test(file))
    .sort();
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n');
    hash.update(JSON.stringify([file, text]));
  }
  return hash.digest('hex').slice(0, 16);
}
