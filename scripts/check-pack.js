/**
 * `npm run check:pack`: packs every package that gets published, installs the tarballs together in a folder outside
 * the repository, and uses them there: each import with plain Node, the kernels' text, the command line, and the type
 * declarations in a program that checks its libraries.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './steps/run.js';

/** @typedef {{ name: string, private?: boolean, exports: Record<string, { types: string, default: string }> }} Manifest */

/** @type {{ folder: string, manifest: Manifest }[]} */
const packages = readdirSync(join(root, 'packages'))
  .map((name) => join(root, 'packages', name))
  .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
  .filter(({ manifest }) => !manifest.private);
const outside = mkdtempSync(join(tmpdir(), 'convbase-pack-'));

try {
  const tarballs = packages.map(({ folder }) => {
    const report = execute('npm', ['pack', '--json', '--pack-destination', outside], folder);
    const [{ filename, files, size }] = JSON.parse(report);
    const stray = files.filter((/** @type {{ path: string }} */ { path }) =>
      /\.test\.|testing|\.tsbuildinfo/.test(path),
    );
    if (stray.length > 0) throw new Error(`${filename} holds ${stray[0].path}`);
    console.log(`${filename}: ${files.length} files, ${Math.round(size / 1024)} KiB`);
    return join(outside, filename);
  });
  writeFileSync(
    join(outside, 'package.json'),
    JSON.stringify({ name: 'outside', private: true, type: 'module' }),
  );
  execute('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs], outside);

  for (const { manifest } of packages) {
    for (const [entry, { types }] of Object.entries(manifest.exports)) {
      const specifier = manifest.name + entry.slice(1);
      const program = `const m = await import('${specifier}'); if (Object.keys(m).length === 0) throw new Error('no exports');`;
      execute(process.execPath, ['--input-type=module', '-e', program], outside);
      if (!existsSync(join(outside, 'node_modules', manifest.name, types)))
        throw new Error(`${specifier} has no ${types}`);
      console.log(`${specifier} imports`);
    }
  }
  checkTypes();
  const kernels =
    "const { openGpu } = await import('@convbase/core-gpu'); (await openGpu({ backend: 'null' })).destroy();";
  execute(process.execPath, ['--input-type=module', '-e', kernels], outside);
  const version = execute(
    process.execPath,
    ['node_modules/@convbase/cli/bin/convbase.js', '--version'],
    outside,
  ).trim();
  const expected = JSON.parse(readFileSync(join(root, 'packages/cli/package.json'), 'utf8')).version;
  if (version !== expected) throw new Error(`convbase --version printed '${version}', not '${expected}'`);
  console.log(`convbase ${version} runs`);
  checkWithoutBench();
} finally {
  rmSync(outside, { recursive: true, force: true });
}

/** The benchmarks are an optional part of the command line: without them one command says what is missing. */
function checkWithoutBench() {
  rmSync(join(outside, 'node_modules/@convbase/bench'), { recursive: true });
  const listed = spawnSync(
    process.execPath,
    ['node_modules/@convbase/cli/bin/convbase.js', 'bench', '--list'],
    { cwd: outside, encoding: 'utf8' },
  );
  if (listed.status !== 1 || !listed.stderr.includes('npm install @convbase/bench')) {
    throw new Error(`convbase bench without @convbase/bench: ${listed.status}, ${listed.stderr}`);
  }
  console.log('convbase bench says that @convbase/bench is missing');
}

/**
 * Compiles a program that imports everything, as strict as TypeScript can be: its libraries are checked, no `types` are
 * named. With and without the DOM, whose library declares WebGPU since TypeScript 6.
 */
function checkTypes() {
  const specifiers = packages.flatMap(({ manifest }) =>
    Object.keys(manifest.exports).map((entry) => manifest.name + entry.slice(1)),
  );
  const imports = specifiers.map((specifier, i) => `import * as entry${i} from '${specifier}';`);
  const entries = specifiers.map((_, i) => `entry${i}`).join(', ');
  writeFileSync(join(outside, 'strict.ts'), `${imports.join('\n')}\nexport const entries = [${entries}];\n`);
  for (const [module, moduleResolution] of [
    ['node16', 'node16'],
    ['esnext', 'bundler'],
  ]) {
    for (const lib of [['es2023'], ['es2023', 'dom']]) {
      const compilerOptions = {
        ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true },
        ...{ target: 'es2022', module, moduleResolution, lib },
      };
      writeFileSync(
        join(outside, 'tsconfig.json'),
        JSON.stringify({ compilerOptions, files: ['strict.ts'] }),
      );
      const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      try {
        execute(process.execPath, [compiler, '--pretty', 'false'], outside);
      } catch (error) {
        const said = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
        throw new Error(`types of ${moduleResolution} with ${lib.join(', ')}:\n${said}`, { cause: error });
      }
      console.log(`types hold with moduleResolution ${moduleResolution} and ${lib.join(', ')}`);
    }
  }
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 * @returns {string} its output
 */
function execute(command, args, cwd) {
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32' && command === 'npm',
  });
}
