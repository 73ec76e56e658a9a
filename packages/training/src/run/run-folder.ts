import { join } from 'node:path';
import { ConvbaseError, escapedJson, visible, visibleJson, visibleLine } from '@convbase/base';
import {
  exists,
  isLockName,
  isTemporaryName,
  listIfThere,
  readBounded,
  removeAbandoned,
  removeAtOnce,
  writeFileAtomic,
} from '@convbase/base/node';
import { Document, visit } from 'yaml';
import { z } from 'zod';
import { judgedSchema, ownJson, stageRecordSchema } from '../checkpoint/index.ts';
import { parseRecipe, type Recipe } from '../recipe/index.ts';

const sweepRowSchema = z.object({
  layer: z.string(),
  /** Numbers that the head got of each picture. */
  features: z.number(),
  epochs: z.number(),
  /** Means of the epoch whose weights the head ended with. */
  logs: z.record(z.string(), z.number().nullable()),
  test: judgedSchema.nullable(),
});

/** What a head on one layer came to. */
export type SweepRow = z.infer<typeof sweepRowSchema>;

const resultSchema = z.object({
  /** What came out for the pictures to test with, or where there are none for those to validate with. */
  test: judgedSchema.nullable(),
  /** Of a sweep: what the head on each layer came to. */
  sweep: z.array(sweepRowSchema).nullable(),
  /** Below the run folder. */
  classifier: z.string(),
});

const runSchema = z.object({
  format: z.literal('convbase-run'),
  version: z.literal(1),
  name: z.string(),
  status: z.enum(['running', 'stopped', 'finished']),
  /** The data folder, for people. */
  data: z.string(),
  /** SHA-256 of the pictures' names, labels and sizes, and of the base's weight file. */
  checksums: z.object({ data: z.string(), base: z.string() }),
  adapter: z.string(),
  classNames: z.array(z.string()),
  samples: z.object({ train: z.number(), validation: z.number(), test: z.number() }),
  stages: z.array(stageRecordSchema),
  seconds: z.number(),
  /** What the adapter waited for, in seconds; runs of earlier versions did not look. */
  input: z
    .object({
      seconds: z.number(),
      waited: z.number(),
      between: z.number(),
      bottleneck: z.enum(['adapter', 'input', 'program']),
    })
    .optional(),
  result: resultSchema.nullable(),
});

/** What `run.json` says: what was run on what, and how far it is. */
export type RunRecord = z.infer<typeof runSchema>;

/** More than a record or a recipe has. */
const MAX_BYTES = 2 ** 24;

/** The files of a run. */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** `history.csv`, `checkpoints/last.safetensors` .. */
  file(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  get checkpoint(): string {
    return this.file('checkpoints', 'last.safetensors');
  }

  get best(): string {
    return this.file('checkpoints', 'best.safetensors');
  }

  /** The run that is there; undefined where none was begun. Throws `run/damaged`. */
  async read(): Promise<{ record: RunRecord; recipe: Recipe } | undefined> {
    const path = this.file('run.json');
    if (!(await exists(path))) return undefined;
    const text = (await readBounded(path, MAX_BYTES)).toString('utf8');
    const record = ownJson(runSchema, text, 'run/damaged', path);
    const recipePath = this.file('recipe.yaml');
    const recipe = (await readBounded(recipePath, MAX_BYTES)).toString('utf8');
    return { record, recipe: parseRecipe(recipe, recipePath) };
  }

  async writeRecord(record: RunRecord): Promise<void> {
    await writeFileAtomic(this.file('run.json'), `${visibleJson(record, 2)}\n`);
  }

  /** The recipe as it is run, all changes written into it: a recipe again. */
  async writeRecipe(recipe: Recipe, name: string): Promise<void> {
    await writeFileAtomic(
      this.file('recipe.yaml'),
      `# ${visibleLine(name)}, as it was run\n${recipeText(recipe)}`,
    );
  }

  /** Makes room for a new run. Throws `folder/in-the-way` where there is something else. */
  async prepare(): Promise<void> {
    const own = (names: ReadonlySet<string>) => (name: string) =>
      names.has(name) || isLockName(name) || isTemporaryName(name);
    const inside = (await listIfThere(this.file('checkpoints'))).map((name) => join('checkpoints', name));
    const other =
      (await listIfThere(this.path)).find((name) => !own(OWN)(name)) ??
      inside.find((name) => !own(CHECKPOINTS)(name));
    if (other !== undefined) {
      throw new ConvbaseError('folder/in-the-way', `it holds other things, such as ${other}`, {
        where: this.path,
        fix: 'Give the run a folder of its own, which need not exist yet.',
      });
    }
    await removeAtOnce(this.file('checkpoints'));
  }

  /** Removes what a crash left unfinished. */
  async clean(): Promise<void> {
    for (const folder of [this.path, this.file('checkpoints')]) await removeAbandoned(folder);
  }
}

/** As YAML, in which strings with characters that nobody sees are quoted, since only there YAML has escapes. */
function recipeText(recipe: Recipe): string {
  const document = new Document(recipe, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'string' && visible(node.value) !== node.value) node.type = 'QUOTE_DOUBLE';
    },
  });
  return escapedJson(document.toString({ lineWidth: 110 }));
}

/** Everything that a run puts into its folder before it has a record. */
const OWN = new Set(['recipe.yaml', 'checkpoints']);
const CHECKPOINTS = new Set(['last', 'best'].map((name) => join('checkpoints', `${name}.safetensors`)));
