import { Command } from 'commander';
import { addAugment } from './commands/augment.ts';
import { addBench } from './commands/bench.ts';
import { addCache } from './commands/cache.ts';
import { addConvert } from './commands/convert.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvaluate } from './commands/evaluate.ts';
import { addExtract } from './commands/extract.ts';
import { addFinetune } from './commands/finetune.ts';
import { addPredict } from './commands/predict.ts';
import { addProfile } from './commands/profile.ts';
import { addRecipe } from './commands/recipe.ts';
import { addSummary } from './commands/summary.ts';
import { addTrain } from './commands/train.ts';
import { addTune } from './commands/tune.ts';
import { addVerify } from './commands/verify.ts';
import { addWeights } from './commands/weights.ts';
import type { Interruption } from './terminal/interrupt.ts';
import { refuseEmptyValues, requireOptionsLast } from './terminal/options.ts';
import { commanderOutput } from './terminal/print.ts';
import { version } from './version.ts';

/** What a command gets from the process that runs it, and gives back. */
export interface Invocation extends Interruption {
  /** Where a command that ended regularly leaves its exit code. */
  exitCode: number;
}

/** The whole command line. Errors of usage are thrown as CommanderError. */
export function createProgram(invocation: Invocation): Command {
  const program = new Command('convbase')
    .description(
      'Transfer learning with pretrained convnets on WebGPU: from a folder of pictures to a classifier.',
    )
    .version(version)
    .showHelpAfterError('(--help shows what the command takes)')
    .exitOverride()
    .configureOutput(commanderOutput)
    // With their arguments the list would not fit into 80 columns; each command's own help has them.
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText(
      'after',
      '\nExample:\n  convbase extract pictures/ --model inception_v3 --size 150 --out features/\n' +
        '  convbase train features/ --out classifier/\n  convbase predict classifier/ photo.jpg',
    );
  for (const add of [
    addDoctor,
    addSummary,
    addWeights,
    addCache,
    addExtract,
    addTrain,
    addFinetune,
    addEvaluate,
    addPredict,
    addConvert,
    addAugment,
    addRecipe,
    addProfile,
    addTune,
    addVerify,
    addBench,
  ]) {
    add(program, invocation);
  }
  requireOptionsLast(program);
  refuseEmptyValues(program);
  return program;
}
