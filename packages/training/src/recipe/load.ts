import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConvbaseError } from '@convbase/base';
import { listFolder, readBounded } from '@convbase/base/node';
import { parseRecipe } from './parse.ts';
import type { Recipe } from './schema.ts';

const folder = fileURLToPath(new URL('../../recipes/', import.meta.url));
const extension = '.yaml';
const MAX_BYTES = 1 << 20;

/** A recipe as it was found. */
export interface NamedRecipe {
  /** The name of one of convbase's own, else the path. */
  readonly name: string;
  /** The YAML text. */
  readonly text: string;
  readonly recipe: Recipe;
}

/** The recipes that come with convbase, sorted by name. */
export async function listRecipes(): Promise<readonly NamedRecipe[]> {
  const names = await recipeNames();
  return Promise.all(names.map(loadRecipe));
}

/**
 * One of convbase's own recipes by name, or a user's own by the path of its YAML file.
 *
 * @throws ConvbaseError `recipe/unknown`; `recipe/yaml`, `recipe/schema` naming file, line and place; `file/..`
 */
export async function loadRecipe(nameOrPath: string): Promise<NamedRecipe> {
  const names = await recipeNames();
  const own = names.includes(nameOrPath);
  if (!own && !/[/\\]|\.ya?ml$/.test(nameOrPath)) {
    throw new ConvbaseError('recipe/unknown', 'there is no such recipe', {
      where: nameOrPath,
      fix: ['Known are:', ...names, 'For a recipe of your own give the path of its .yaml file.'],
    });
  }
  const path = own ? join(folder, nameOrPath + extension) : nameOrPath;
  const text = (await readBounded(path, MAX_BYTES)).toString();
  return { name: nameOrPath, text, recipe: parseRecipe(text, path) };
}

async function recipeNames(): Promise<string[]> {
  const files = await listFolder(folder);
  return files
    .filter((file) => file.endsWith(extension))
    .map((file) => file.slice(0, -extension.length))
    .sort();
}
