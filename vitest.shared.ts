import { basename, join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Set by scripts/test.js, which adds up what the packages report. */
const reports = process.env['CONVBASE_TEST_REPORTS'];
const name = basename(process.argv.includes('scripts') ? 'scripts' : process.cwd());

/** What every package's tests share: workspace imports resolve to the TypeScript sources, not to the build. */
export default defineConfig({
  resolve: { conditions: ['convbase-source', 'node'] },
  ssr: { resolve: { conditions: ['convbase-source', 'node'] } },
  test: {
    include: ['src/**/*.test.ts', '**/*.test.js'],
    exclude: ['dist/**', 'node_modules/**'],
    testTimeout: 300_000, // generous: a software adapter on a busy machine of two cores
    hookTimeout: 300_000,
    passWithNoTests: false,
    ...(reports && { reporters: ['default', ['json', { outputFile: join(reports, `${name}.json`) }]] }),
  },
});
