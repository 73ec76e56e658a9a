/**
 * `npm test [-- [PACKAGE...] [FILE-FILTER...]]`: everything that a fresh clone needs, then the tests of all packages
 * (or of some, or only in files whose path contains a filter). The last line is `N passed, N failed`.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare } from './steps/prepare.js';
import { root, run, StepFailed, tool } from './steps/run.js';
import { addUp, readReports, summaryLine } from './steps/totals.js';

const all = [...(await readdir(join(root, 'packages'))), 'scripts'];
const given = process.argv.slice(2);
const chosen = given.filter((name) => all.includes(name));
const filters = given.filter((name) => !all.includes(name));
const names = chosen.length > 0 ? chosen : all;

try {
  await prepare();
  process.exitCode = await test();
} catch (error) {
  const expected = error instanceof StepFailed || (error instanceof Error && error.name === 'ConvbaseError');
  console.error(expected ? error.message : error);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}

/** @returns {Promise<number>} the exit code */
async function test() {
  const folder = await mkdtemp(join(tmpdir(), 'convbase-test-'));
  try {
    const env = { CONVBASE_TEST_REPORTS: folder };
    const vitestArgs = filters.length > 0 ? [...filters, '--passWithNoTests'] : [];
    const packages = names.filter((name) => existsSync(join(root, 'packages', name)));
    // One after the other: each package's tests already use every core, and they share one adapter.
    const turbo = [
      'run',
      'test',
      '--concurrency=1',
      '--continue',
      ...packages.map((name) => `--filter=./packages/${name}`),
    ];
    const codes = [];
    if (packages.length > 0) codes.push(await run('npx', ['turbo', ...turbo, '--', ...vitestArgs], { env }));
    if (names.includes('scripts')) {
      const args = [
        tool('vitest/vitest.mjs'),
        'run',
        '--root',
        'scripts',
        '--config',
        '../vitest.shared.ts',
        ...vitestArgs,
      ];
      codes.push(await run(process.execPath, args, { env }));
    }
    const totals = addUp(await readReports(folder, names));
    if (totals.failed.length === 0 && codes.some((code) => code !== 0))
      totals.failed.push('a task failed, see above');
    console.log();
    for (const name of totals.skipped) console.log(`skipped  ${name}`);
    for (const name of totals.failed) console.log(`FAILED   ${name}`);
    console.log(summaryLine(totals));
    return totals.failed.length === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
