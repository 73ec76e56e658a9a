import { createRequire } from 'node:module';

const packageJson = createRequire(import.meta.url)('../package.json') as { version: string };

/** The version of the package, which is convbase's. */
export const version = packageJson.version;
