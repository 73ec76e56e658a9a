import { ConvbaseError } from '@convbase/base';
import { isNode, type Document, type LineCounter } from 'yaml';
import { z } from 'zod';
import { recipeSchema, type Recipe } from './schema.ts';
import { parseYaml } from './yaml.ts';

type Path = readonly PropertyKey[];

/**
 * Parses and checks the YAML text of a recipe. Keys that are not known, values that are not possible and references
 * that lead nowhere are named with file, line and place, and with what is known there.
 *
 * @param where the file, for messages
 * @throws ConvbaseError `recipe/yaml`, `recipe/schema`
 */
export function parseRecipe(text: string, where: string): Recipe {
  const { document, lines, value } = parseYaml(text, where);
  const parsed = recipeSchema.safeParse(value);
  if (parsed.success && inconsistencies(parsed.data).length === 0) return parsed.data;
  const problems = parsed.success
    ? inconsistencies(parsed.data)
    : parsed.error.issues.flatMap((issue) => explain(issue, value));
  // A misspelt key comes before the complaint that the right one is missing.
  problems.sort((a, b) => Number(b.unknown ?? false) - Number(a.unknown ?? false));
  throw new ConvbaseError('recipe/schema', listed(problems), {
    where: `${where}:${lineOf(document, lines, problems[0]?.path ?? [])}`,
  });
}

/** More of one kind say no more, and nobody reads them. */
const MOST_PROBLEMS = 20;

function listed(problems: readonly Problem[]): string[] {
  const lines = problems.slice(0, MOST_PROBLEMS).map(({ path, text }) => `${at(path)}${text}`);
  const more = problems.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more`] : lines;
}

interface Problem {
  readonly path: Path;
  readonly text: string;
  /** A key that does not exist. */
  readonly unknown?: boolean;
}

function explain(issue: z.core.$ZodIssue, value: unknown): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(recipeSchema, issue.path, value);
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      text: `there is no such key${known.length === 0 ? '' : `; known here are ${known.join(', ')}`}`,
      unknown: true,
    }));
  }
  // A union's own message says what may be written; where one of its alternatives fits but for details, those say more.
  if (issue.code === 'invalid_union') {
    const near = issue.errors.find((issues) => issues.length > 0 && issues.every(isDetail));
    if (near !== undefined) {
      return near.flatMap((inner) => explain({ ...inner, path: [...issue.path, ...inner.path] }, value));
    }
  }
  const missing = issue.path.length > 0 && valueAt(value, issue.path) === undefined;
  return [{ path: issue.path, text: missing ? 'it is missing' : issue.message }];
}

/** Whether the kind of value is right and only something inside it is not. */
function isDetail(issue: z.core.$ZodIssue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys';
}

/** What the keys at a place may be; of alternatives those that the value there can be meant as. */
function knownKeys(schema: z.core.$ZodType, path: Path, value: unknown): string[] {
  if (schema instanceof z.ZodOptional) return knownKeys(schema.unwrap(), path, value);
  if (schema instanceof z.ZodUnion) {
    const meant = schema.options.filter((option) => canMean(option, value));
    return [...new Set(meant.flatMap((option) => knownKeys(option, path, value)))];
  }
  const [key, ...rest] = path;
  if (schema instanceof z.ZodObject && key === undefined) return Object.keys(schema.shape);
  if (key === undefined) return [];
  const inside = valueAt(value, [key]);
  if (schema instanceof z.ZodArray) return knownKeys(schema.element, rest, inside);
  if (!(schema instanceof z.ZodObject)) return [];
  const member = (schema.shape as Record<PropertyKey, z.core.$ZodType | undefined>)[key];
  return member === undefined ? [] : knownKeys(member, rest, inside);
}

/** Whether what the schema fixes to one value, such as `kind: folder`, is what the value says. */
function canMean(schema: z.core.$ZodType, value: unknown): boolean {
  if (!(schema instanceof z.ZodObject)) return false;
  return Object.entries(schema.shape).every(
    ([key, member]) =>
      !(member instanceof z.ZodLiteral) || member.values.has(valueAt(value, [key]) as string),
  );
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inside, key) =>
      typeof inside === 'object' && inside !== null
        ? (inside as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}

/** What no schema of single values sees. */
function inconsistencies({ data, stages, sweep, reported = [] }: Recipe): Problem[] {
  const problems: Problem[] = [];
  if (sweep !== undefined && stages.length > 1) {
    problems.push({ path: ['stages', 1], text: 'a sweep has one stage: that of its heads' });
  }
  const names = new Set<string>();
  stages.forEach((stage, index) => {
    const path = ['stages', index];
    if (names.has(stage.name)) {
      problems.push({ path: [...path, 'name'], text: `two stages are called ${stage.name}` });
    }
    names.add(stage.name);
    if (sweep !== undefined && (stage.unfreeze !== 'none' || stage.augmentation !== undefined)) {
      problems.push({ path, text: 'a sweep compares heads on a frozen base, without augmentation' });
    }
    const { restoreBest, earlyStopping, reduceLROnPlateau, optimizer } = stage;
    const validated = data.kind === 'mnist' || data.validation !== undefined;
    const watched = [
      [['restoreBest'], restoreBest],
      [['earlyStopping'], earlyStopping && (earlyStopping.monitor ?? 'val_loss')],
      [['reduceLROnPlateau'], reduceLROnPlateau && (reduceLROnPlateau.monitor ?? 'val_loss')],
    ] as const;
    for (const [key, monitor] of watched) {
      if (monitor?.startsWith('val_') !== true || validated) continue;
      problems.push({ path: [...path, ...key], text: `there is no ${monitor}: data has no validation` });
    }
    if (reduceLROnPlateau !== undefined && typeof optimizer.learningRate === 'object') {
      problems.push({
        path: [...path, 'reduceLROnPlateau'],
        text: 'a learning rate that follows a schedule cannot be reduced',
      });
    }
  });
  reported.forEach(({ stage }, index) => {
    if (names.has(stage)) return;
    problems.push({ path: ['reported', index, 'stage'], text: `no stage is called ${stage}` });
  });
  return problems;
}

/** `stages[1].optimizer: `. */
function at(path: Path): string {
  if (path.length === 0) return '';
  const text = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return `${text.replace(/^\./, '')}: `;
}

/** The line of a place in the text, or of the innermost thing around it that is there. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
