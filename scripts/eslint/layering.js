/**
 * The house as a lint rule: imports point downward, go through a package's public face, and what runs in a browser
 * knows nothing of Node.
 */
import { isBuiltin } from 'node:module';
import { relative, resolve, dirname, sep } from 'node:path';

/** What each package may import of the others. */
export const below = {
  base: [],
  driver: ['base'],
  'core-gpu': ['base', 'driver'],
  layers: ['base', 'core-gpu'],
  data: ['base'],
  models: ['base', 'core-gpu', 'layers'],
  training: ['base', 'core-gpu', 'layers', 'data', 'models'],
  cli: ['base', 'driver', 'core-gpu', 'layers', 'data', 'models', 'training', 'bench'],
  bench: ['base', 'driver', 'core-gpu', 'layers', 'data', 'models', 'training'],
};

/** Packages that also run in a browser, with the files of theirs that do not. */
const browserPackages = {
  base: /^node(\.ts|\/)/,
  'core-gpu': /^(node\.ts|platform\/node(\.ts|\/))/,
  layers: /^$/,
  models: /^(node\.ts|platform\/node(\.ts|\/))/,
};

/** Packages of which nothing runs in a browser. */
const nodePackages = ['driver'];

/** npm packages that need Node. */
const nodeOnlyPackages = ['webgpu', 'sharp', 'commander', 'cli-progress'];

const testFile = /\.test\.ts$|(^|\/)testing([-\w]*\.ts$|\/)/;

/**
 * What is wrong with an import, or nothing.
 *
 * @param {string} path the importing file, relative to the repository
 * @param {string} source what it imports
 * @returns {string | undefined}
 */
export function checkImport(path, source) {
  const match = /^packages\/([^/]+)\/src\/(.+)$/.exec(path.split(sep).join('/'));
  if (!match) return undefined;
  const [, own = '', file = ''] = match;
  const inTest = testFile.test(file);
  const nodeFiles = browserPackages[/** @type {keyof typeof browserPackages} */ (own)];
  const forBrowser = nodeFiles !== undefined && !nodeFiles.test(file) && !inTest;

  if (source.startsWith('.')) {
    const target = relative(`packages/${own}/src`, resolve(dirname(path), source))
      .split(sep)
      .join('/');
    if (target.startsWith('../') && !inTest)
      return `'${source}' leaves the package; import @convbase/… instead.`;
    if (forBrowser && nodeFiles.test(target))
      return `'${source}' is for Node only, this file also runs in a browser.`;
    return undefined;
  }

  const [, other, subpath] = /^@convbase\/([^/]+)(?:\/(.+))?$/.exec(source) ?? [];
  if (other !== undefined) {
    const allowed = below[/** @type {keyof typeof below} */ (own)] ?? [];
    const dataForNode = own === 'models' && other === 'data' && !forBrowser;
    if (other !== own && !allowed.includes(/** @type {never} */ (other)) && !dataForNode) {
      return `${own} may not import ${other}: imports point downward (${own} → ${allowed.join(', ') || 'nothing'}).`;
    }
    if (subpath !== undefined && subpath !== 'node')
      return `'${source}' reaches past the public face of ${other}.`;
    if (forBrowser && (subpath === 'node' || nodePackages.includes(other)))
      return `'${source}' is for Node only, this file also runs in a browser.`;
    return undefined;
  }

  const [root = ''] = source.split('/');
  if (forBrowser && (isBuiltin(source) || nodeOnlyPackages.includes(root))) {
    return `'${source}' is for Node only, this file also runs in a browser.`;
  }
  return undefined;
}

/** @type {import('eslint').Rule.RuleModule} */
export const layering = {
  meta: { type: 'problem', schema: [], messages: { layering: '{{ reason }}' } },
  create(context) {
    const path = relative(context.cwd, context.filename);
    const fromRoot = path.startsWith('packages')
      ? path
      : relative(resolve(import.meta.dirname, '../..'), context.filename);
    /** @param {import('eslint').Rule.Node & { source?: object | null | undefined }} node */
    const check = (node) => {
      const source = node.source && 'value' in node.source ? node.source.value : undefined;
      if (typeof source !== 'string') return;
      const reason = checkImport(fromRoot, source);
      if (reason !== undefined) context.report({ node, messageId: 'layering', data: { reason } });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
    };
  },
};
