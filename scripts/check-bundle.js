/**
 * `npm run check:bundle`: bundles the packages that are meant for browsers as a web project would, and fails where
 * anything of Node, or a library that needs Node, ends up inside.
 */
import { isBuiltin } from 'node:module';
import { build } from 'esbuild';
import { root } from './steps/run.js';

const browserPackages = ['base', 'core-gpu', 'layers', 'models'];
const nodeOnly = /^(webgpu|sharp|commander|cli-progress)(\/|$)/;
let failures = 0;

for (const name of browserPackages) {
  /** @type {Set<string>} */ const offenders = new Set();
  const result = await build({
    stdin: { contents: `export * from '@convbase/${name}';`, resolveDir: root },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    logLevel: 'silent',
    plugins: [
      {
        name: 'no-node',
        setup({ onResolve }) {
          onResolve({ filter: /.*/ }, ({ path, importer }) => {
            if (!isBuiltin(path) && !nodeOnly.test(path)) return undefined;
            offenders.add(`${path} (imported by ${importer})`);
            return { path, external: true };
          });
        },
      },
    ],
  });
  const [bytes = 0] = result.outputFiles.map((file) => file.contents.length);
  const verdict = offenders.size === 0 ? 'free of Node' : `needs Node: ${[...offenders].join(', ')}`;
  console.log(`@convbase/${name}: ${Math.round(bytes / 1024)} KiB minified, ${verdict}`);
  failures += offenders.size;
}
process.exitCode = failures === 0 ? 0 : 1;
