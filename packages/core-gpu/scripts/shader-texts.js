/**
 * Reads the shaders of a folder. WGSL has no include; here a line
 *
 *     // #include "../shared/accurate-exp.wgsl"
 *
 * stands for the text of that file, found beside the one that includes it (to WGSL and to editors it is a comment). A
 * file that was included already is not repeated. Files without `@compute` are such parts, the others are shaders.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';

const includeLine = /^\/\/ #include (.*)$/gm;
const ending = '.wgsl';

/**
 * @param {string} folder
 * @returns {Map<string, string>} each shader's name ('conv2d/forward') and whole text, sorted by name
 */
export function readShaders(folder) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith(ending))
    .sort();
  const texts = new Map(files.map((file) => [file, read(join(folder, file))]));
  const shaders = new Map();
  const used = new Set();
  for (const [file, text] of texts) {
    if (!isShader(text)) continue;
    const included = new Set();
    shaders.set(file.slice(0, -ending.length), expand(folder, file, [], included));
    for (const part of included) used.add(part);
  }
  for (const [file, text] of texts) {
    if (!isShader(text) && !used.has(file))
      throw new Error(`${file}: has no @compute, and no shader includes it`);
  }
  return shaders;
}

/** @param {string} text */
function isShader(text) {
  return /^@compute\b/m.test(text);
}

/** @param {string} path */
function read(path) {
  return readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
}

/**
 * @param {string} folder
 * @param {string} file
 * @param {readonly string[]} open the files that lead here
 * @param {Set<string>} included what stands in the text already
 * @returns {string}
 */
function expand(folder, file, open, included) {
  if (open.includes(file)) throw new Error(`${[...open, file].join(' includes ')}`);
  if (included.has(file)) return '';
  if (open.length > 0) included.add(file);
  const text = read(join(folder, file));
  if (open.length > 0 && isShader(text))
    throw new Error(`${open.at(-1)}: ${file} is a shader, not a part of one`);
  return text.replace(includeLine, (_line, name) => {
    const [, path] = /^"([^"]+\.wgsl)"$/.exec(name) ?? [];
    if (path === undefined) throw new Error(`${file}: write // #include "file.wgsl", not ${name}`);
    const part = normalize(join(dirname(file), path));
    if (part.startsWith('..') || !existsSync(join(folder, part)))
      throw new Error(`${file}: there is no ${part} to include`);
    return expand(folder, part, [...open, file], included).trimEnd();
  });
}
