import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Ladder } from './ladder.ts';
import { ladders } from './ladders.ts';
import { withGpu } from './testing.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

describe('ladders', () => {
  const gpu = withGpu({ backend: 'null' });

  it('are all listed', async () => {
    const folders = readdirSync(here).filter((folder) => existsSync(`${here}${folder}/ladder.ts`));
    const modules = await Promise.all(
      folders.map(async (folder) => (await import(`./${folder}/ladder.ts`)) as Record<string, unknown>),
    );
    const exported = modules.flatMap((module) => Object.values(module));
    expect(Object.values(ladders)).toHaveLength(exported.length);
    for (const ladder of exported) expect(Object.values(ladders)).toContain(ladder);
  });

  it.each(Object.values<Ladder>(ladders))(
    '$kernel binds what it names',
    async ({ inputs, output, rungs }) => {
      const plans = rungs.map((rung) => rung.plan(gpu().target));
      for (const { dispatches, temporaries } of plans) {
        const names = new Set([...Object.keys(inputs), output.name, ...Object.keys(temporaries)]);
        const bound = dispatches.flatMap(({ bindings }) => Object.values(bindings));
        const used = new Set(
          bound.map((binding) => (typeof binding === 'string' ? binding : binding.buffer)),
        );
        expect(used).toContain(output.name);
        for (const name of used) expect(names).toContain(name);
      }
      await gpu().prepare(plans);
    },
  );
});
