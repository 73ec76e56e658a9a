import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { withstands } from '../../../base/src/testing/withstands.ts';
import { fuzzTargets } from './fuzz-targets.ts';

const scratch = await mkdtemp(join(tmpdir(), 'convbase-fuzz-'));
afterAll(() => rm(scratch, { recursive: true }));

test.each(await fuzzTargets(scratch))('$name, damaged', (target) =>
  withstands(target, join(import.meta.dirname, '..', '..', 'fixtures', 'fuzz')),
);
