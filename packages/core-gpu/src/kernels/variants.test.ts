import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../commands/plan.ts';
import { shaderInterface, storageTypes } from '../commands/shader.ts';
import type { ShaderVariant } from './shader-variant.ts';
import type { Gpu } from '../device/gpu.ts';
import { openGpu } from '../device/open.ts';
import { shaderTexts } from '../shaders/generated.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const folders = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && filesOf(entry.name).length > 0)
  .map((entry) => entry.name)
  .sort();

/** What the `variants()` of all modules of a folder name. */
async function variantsOf(folder: string): Promise<ShaderVariant[]> {
  const files = readdirSync(`${here}${folder}`).filter((f) => f.endsWith('.ts') && !f.endsWith('.test.ts'));
  const found: ShaderVariant[] = [];
  for (const file of files) {
    const module = (await import(`./${folder}/${file}`)) as { variants?: () => ShaderVariant[] };
    found.push(...(module.variants?.() ?? []));
  }
  return found;
}

/** The shaders of a folder; files without `@compute` are parts of some. */
function filesOf(folder: string): string[] {
  return readdirSync(`${here}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.wgsl'))
    .filter((file) => /^@compute\b/m.test(readFileSync(`${here}${folder}/${file}`, 'utf8')))
    .map((file) => `${folder}/${file.replaceAll('\\', '/').slice(0, -'.wgsl'.length)}`)
    .sort();
}

/** A plan that does nothing but name the shader, for `prepare`. */
function planOf({ shader, constants }: ShaderVariant): Plan {
  const dispatch = { shader, constants, uniforms: {}, bindings: {}, grid: [1, 1, 1] } as const;
  return { kernel: shader, variant: '', temporaries: {}, flops: 0, bytes: 0, dispatches: [dispatch] };
}

describe('every variant of every shader', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu({ backend: 'null', experimental: { subgroupMatrix: true } });
  });
  afterAll(() => {
    gpu.destroy();
  });

  it.each(folders)('%s compiles without a driver', async (folder) => {
    const variants = await variantsOf(folder);
    for (const variant of variants) {
      expect(variant.shader in shaderTexts, `${variant.shader} is no shader; embed the shaders anew`).toBe(
        true,
      );
    }
    await gpu.prepare(variants.map(planOf));
    // Storage types do not depend on one another, nor on constants: all of them in float16, and each alone, once.
    const once = new Map(variants.map((variant) => [variant.shader, variant]));
    const halves = [...once.values()].flatMap(({ shader, constants }) => {
      const types = storageTypes(shader);
      return [types, ...types.map((type) => [type])].map((float16): ShaderVariant => {
        return { shader, constants: { ...constants, ...Object.fromEntries(float16.map((t) => [t, 'f16'])) } };
      });
    });
    await gpu.prepare(halves.map(planOf));
    // No file is left out, and none is embedded that is gone.
    expect([...new Set(variants.map((v) => v.shader))].sort()).toEqual(filesOf(folder));
    for (const shader of filesOf(folder)) {
      expect(shaderInterface(shader as ShaderVariant['shader']).storage.length).toBeGreaterThan(0);
    }
  });

  it('knows the texts of exactly the files that are there', () => {
    expect(Object.keys(shaderTexts).sort()).toEqual(folders.flatMap(filesOf).sort());
  });
});

/** The part of a shader below its header comment. */
function codeOf(shader: string): string {
  const text = (shaderTexts as Record<string, string>)[shader] ?? '';
  return text.slice(text.indexOf('struct Params'));
}

describe('shaders that exist twice, for one channel and for four at a time', () => {
  // WGSL has no generic types: the twin is the same code with wider types, and must stay so.
  const twins = Object.keys(shaderTexts)
    .filter((name) => name.endsWith('-vec4') && name.slice(0, -'-vec4'.length) in shaderTexts)
    .filter((name) => /^(concat|padding|pooling)\//.test(name));

  it.each(twins)('%s', (twin) => {
    const widened = codeOf(twin.slice(0, -'-vec4'.length))
      .replaceAll(/\b(X|Y|Dx|Dy|Stored)([>(])/g, '$14$2')
      .replaceAll(/\bf32\((x|y|dx|dy)\[/g, 'vec4f($1[')
      .replaceAll('array<u32>', 'array<vec4u>');
    // Values of one channel become vectors; everything about places and counts is the same line for line.
    const lines = (code: string) =>
      code.split('\n').filter((line) => !/best|sum|at\b|here|NOWHERE|0\.0|^ *}$/.test(line));
    expect(lines(codeOf(twin))).toEqual(lines(widened));
  });
});
