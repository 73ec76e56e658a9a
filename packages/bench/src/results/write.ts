import { visibleJson } from '@convbase/base';
import { join } from 'node:path';
import { writeFileAtomic } from '@convbase/base/node';
import { markdownOf } from './markdown.ts';
import { pageOf } from './page/page.ts';
import type { Results } from './schema.ts';

/** Where results are written. */
export interface ResultFiles {
  readonly json: string;
  readonly page: string;
  readonly markdown: string;
}

/** Writes results as JSON, as a page, and as a Markdown table, into a folder. */
export async function writeResults(folder: string, results: Results): Promise<ResultFiles> {
  const files = {
    json: join(folder, 'latest.json'),
    page: join(folder, 'index.html'),
    markdown: join(folder, 'results.md'),
  };
  await writeFileAtomic(files.json, `${visibleJson(results, 1)}\n`);
  await writeFileAtomic(files.page, pageOf(results));
  await writeFileAtomic(files.markdown, markdownOf(results));
  return files;
}
