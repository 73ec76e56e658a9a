import { checkPlace } from '@convbase/base/node';
import { caseLine, caseText, verifyFolder } from '@convbase/models';
import type { Command } from 'commander';
import type { Invocation } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import {
  namedPath,
  withCommonOptions,
  withPrecision,
  type CommonOptions,
  type PrecisionFlag,
} from '../terminal/options.ts';
import { printLine, printText } from '../terminal/print.ts';

interface VerifyFlags extends CommonOptions, PrecisionFlag {
  readonly weights?: Record<string, string>;
  readonly save?: string;
}

/** `convbase verify`: the adapter against files of expected values. */
export function addVerify(program: Command, invocation: Invocation): void {
  const command = program
    .command('verify')
    .argument('[dir]', 'folder of golden files; default: those that ship with convbase')
    .summary('check the adapter against expected values')
    .description(
      "Computes every case of a folder of golden files on this machine's adapter and prints the relative L2 error of each tensor. Exit code 1 if any fails.",
    )
    .option('--weights <model=path>', 'weight file of a full model; may be given several times', namedPath)
    .option('--save <dir>', 'write every computed tensor to files of the same names')
    .addHelpText(
      'after',
      '\nExample:\n  convbase verify golden/models --weights inception_v3=inception_v3_notop.h5',
    );
  withCommonOptions(withPrecision(command), { gpu: true }).action(
    (dir: string | undefined, flags: VerifyFlags) => verify(dir, flags, invocation),
  );
}

async function verify(dir: string | undefined, flags: VerifyFlags, invocation: Invocation): Promise<void> {
  const { json = false, weights, save, precision } = flags;
  if (save !== undefined) await checkPlace(save);
  await usingGpu(flags, invocation.signal, async (gpu) => {
    const { cases, failed } = await verifyFolder(dir, {
      gpu,
      ...(precision && { precision }),
      signal: invocation.signal,
      ...(weights ? { weights } : {}),
      ...(save === undefined ? {} : { save }),
      onCase: (result) => {
        printText(json ? caseLine(result) : caseText(result));
      },
    });
    if (failed.length > 0) invocation.exitCode = 1;
    if (!json) printLine(`${cases - failed.length} of ${cases} cases pass`);
  });
}
