import { changeRecipe, listRecipes, loadRecipe } from '@convbase/training';
import type { Command } from 'commander';
import { resolve } from 'node:path';
import { lasting } from '../jobs/base-options.ts';
import { changesOf, executeRecipe, withRunOptions, type RunFlags } from '../jobs/recipe-run.ts';
import type { Invocation } from '../program.ts';
import { wholeNumber, withCommonOptions, type CommonOptions } from '../terminal/options.ts';
import { printJson, printLine, printText } from '../terminal/print.ts';

interface RecipeRunFlags extends RunFlags {
  readonly data: string;
  readonly model?: string;
  readonly weights?: string;
  readonly epochs?: number;
  readonly continueHead?: true;
}

/** `convbase recipe`: whole procedures of fine-tuning, written down. */
export function addRecipe(program: Command, invocation: Invocation): void {
  const recipe = program
    .command('recipe')
    .summary('run a written-down training')
    .description(
      'Whole procedures of transfer learning as small files: what to train on, and in which stages.',
    );

  const list = recipe
    .command('list')
    .description('Lists the recipes that come with convbase.')
    .addHelpText('after', '\nExample:\n  convbase recipe list');
  withCommonOptions(list, { gpu: false }).action(async ({ json }: CommonOptions) => {
    const recipes = await listRecipes();
    const rows = recipes.map(({ name, recipe: { title, stages, reported } }) => ({
      name,
      title,
      stages: stages.length,
      reported: reported ?? [],
    }));
    if (json) printJson(rows);
    else for (const { name, title } of rows) printLine(`${name.padEnd(37)}${title}`);
  });

  const show = recipe
    .command('show')
    .argument('<name>', 'a recipe of the list, or the path of a .yaml file')
    .description('Prints a recipe; a copy of it is the beginning of your own.')
    .addHelpText('after', '\nExample:\n  convbase recipe show catsdogs-vgg16-finetune-150');
  withCommonOptions(show, { gpu: false }).action(async (name: string, { json }: CommonOptions) => {
    const found = await loadRecipe(name);
    if (json) printJson(found.recipe);
    else printText(found.text.trimEnd().replaceAll('\r\n', '\n'));
  });

  const run = recipe
    .command('run')
    .argument('<name>', 'a recipe of the list, or the path of a .yaml file')
    .description(
      'Runs a recipe. A run that was stopped, by Ctrl-C or a crash, goes on with --resume, to the same result.',
    )
    .requiredOption(
      '--data <dir>',
      "the folder that holds the recipe's folders (train, validation, test), or MNIST's files",
    )
    .option('--model <model>', "another base than the recipe's: a name or a model file")
    .option('--weights <path>', "the base's weight file; default: ImageNet weights")
    .option('--epochs <n>', 'at most so many epochs in each stage', wholeNumber(1))
    .option('--continue-head', 'let a head go on where the recipe has a fresh one in a later stage');
  withRunOptions(run).addHelpText(
    'after',
    '\nExamples:\n  convbase recipe run catsdogs-vgg16-features-150 --data cats_and_dogs/ --out run/\n' +
      '  convbase recipe run mine.yaml --data pictures/ --out run/ --fraction 0.1 --epochs 2',
  );
  withCommonOptions(run, { gpu: true }).action((name: string, flags: RecipeRunFlags) =>
    runNamed(name, flags, invocation),
  );
}

async function runNamed(name: string, flags: RecipeRunFlags, invocation: Invocation): Promise<void> {
  const { recipe } = await loadRecipe(name);
  const { data, model, weights, epochs, continueHead } = flags;
  const changed = changeRecipe(recipe, {
    ...changesOf(flags),
    ...(model === undefined ? {} : { base: await lasting(model) }),
    ...(weights === undefined ? {} : { weights: resolve(weights) }),
    ...(epochs === undefined ? {} : { epochs }),
    ...(continueHead === undefined ? {} : { continueHead }),
  });
  await executeRecipe(changed, name, data, flags, invocation);
}
