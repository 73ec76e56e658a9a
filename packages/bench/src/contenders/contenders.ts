import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Task } from '../protocol.ts';

/** One that takes part in the race. */
export interface Entry {
  /** As in `--contenders` and in results. */
  readonly name: string;
  /** As tables call it. */
  readonly title: string;
  /** npm packages that it needs and that need not be installed. */
  readonly needs: readonly string[];
  /** Why a task is not even tried, where trying would take an age; undefined where it is tried. */
  readonly declines?: (task: Task) => string | undefined;
}

/** All contenders, convbase first. Each is a program `<name>/main.js` beside this file. */
export const contenders: readonly Entry[] = [{ name: 'convbase', title: 'convbase', needs: [] }];

/** The program of a contender. */
export function contenderFile(name: string): string {
  return fileURLToPath(new URL(`./${name}/main.js`, import.meta.url));
}

/** Which of the packages that a contender needs is not installed. */
export function missingPackage({ needs }: Entry): string | undefined {
  const require = createRequire(import.meta.url);
  return needs.find((name) => {
    try {
      require.resolve(`${name}/package.json`);
      return false;
    } catch (error) {
      // Installed, but it keeps its package.json to itself.
      return (error as NodeJS.ErrnoException).code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED';
    }
  });
}
