import { defineConfig } from 'vitest/config';

/** What every package's tests share: workspace imports resolve to the TypeScript sources, not to the build. */
export default defineConfig({
  resolve: { conditions: ['convbase-source', 'node'] },
  ssr: { resolve: { conditions: ['convbase-source', 'node'] } },
  test: {
    include: ['src/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 300_000,
    passWithNoTests: false,
    // Files one after the other: the software adapter uses every core by itself.
    fileParallelism: false,
  },
});
