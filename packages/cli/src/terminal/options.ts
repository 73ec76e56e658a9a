import { ConvbaseError } from '@convbase/base';
import { precisions, type Precision } from '@convbase/layers';
import { InvalidArgumentError, Option, type Command } from 'commander';

/** Options of every command. */
export interface CommonOptions {
  readonly json?: true;
  readonly adapter?: string;
}

/** Adds `--json`, and `--adapter` for commands that compute. */
export function withCommonOptions(command: Command, { gpu }: { gpu: boolean }): Command {
  command.option('--json', 'print the result as JSON on stdout');
  if (gpu)
    command.option('--adapter <name>', 'part of the name of the WebGPU adapter to use (or CONVBASE_ADAPTER)');
  return command;
}

/** Adds `--precision` to a command that runs a network. */
export function withPrecision(command: Command): Command {
  return command.addOption(
    new Option(
      '--precision <kind>',
      'what lies between layers: float32, or mixed for float16, half the bytes',
    ).choices([...precisions]),
  );
}

/** What `withPrecision` adds. */
export interface PrecisionFlag {
  /** Float32 when left out; in a recipe, what it says. */
  readonly precision?: Precision;
}

/**
 * Refuses options that were given on the command line but would mean nothing there.
 *
 * @param names the keys of their values, as `onBadImage`
 * @param why what stands in the way
 * @throws ConvbaseError `usage/option`
 */
export function refuseOptions(command: Command, names: readonly string[], why: string, fix: string): void {
  const given = command.options
    .filter((option) => names.includes(option.attributeName()))
    .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
    .map((option) => option.long ?? option.flags);
  if (given.length === 0) return;
  throw new ConvbaseError('usage/option', `${given.join(', ')} would do nothing: ${why}`, { fix });
}

/**
 * Lets options that are required be asked for last. Commander does it first, so that `extract --ou features/` would be
 * told that --out is missing, and not that there is no --ou.
 */
export function requireOptionsLast(program: Command): void {
  const required = new Map<Command, Option[]>();
  const visit = (command: Command): void => {
    const options = command.options.filter((option) => option.mandatory);
    for (const option of options) option.makeOptionMandatory(false);
    required.set(command, options);
    command.commands.forEach(visit);
  };
  visit(program);
  program.hook('preAction', (_program, command) => {
    for (const option of required.get(command) ?? []) {
      if (command.getOptionValue(option.attributeName()) !== undefined) continue;
      command.error(`error: required option '${option.flags}' not specified`, {
        code: 'commander.missingMandatoryOptionValue',
      });
    }
  });
}

/**
 * Refuses empty arguments and values of options: an empty path is the folder that the program was started in, and what
 * was meant is nearly always a variable of the shell that is not set.
 */
export function refuseEmptyValues(program: Command): void {
  const refuse = (what: string): never =>
    program.error(`error: ${what} is empty`, { code: 'commander.invalidArgument' });
  program.hook('preAction', (_program, command) => {
    command.args.forEach((value, i) => {
      if (value === '') refuse(`argument ${String(i + 1)} of ${command.name()}`);
    });
    for (const option of command.options) {
      const value: unknown = command.getOptionValue(option.attributeName());
      if ([value].flat().includes('')) refuse(`the value of ${option.long ?? option.flags}`);
    }
  });
}

/** More units in a hidden layer than any head has; a classifier with more is not read again. */
export const MOST_UNITS = 1_000_000;

/** A whole number of at least `least`, and at most `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least || value > most) {
      const limit = most === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${String(most)}`;
      throw new InvalidArgumentError(`Give a whole number of at least ${String(least)}${limit}.`);
    }
    return value;
  };
}

/** A number in an interval; the ends count only where they are inclusive. */
export function numberBetween(low: number, high: number, lowIncluded = false): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const inside = (lowIncluded ? value >= low : value > low) && value < high;
    if (text.trim() === '' || !inside) {
      const from = low === -Infinity ? '' : ` ${lowIncluded ? 'from' : 'above'} ${String(low)}`;
      const to = high === Infinity ? '' : ` and below ${String(high)}`;
      throw new InvalidArgumentError(`Give a number${from}${to}.`);
    }
    return value;
  };
}

/** `0.2` or `0.8,1.2`: numbers with commas between them. */
export function numberList(text: string): number[] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (!numbers.every(Number.isFinite)) {
    throw new InvalidArgumentError('Give a number, or several with commas between them.');
  }
  return numbers;
}

/** `150` or `150x200` (height x width). */
export function pictureSize(text: string): [number, number] {
  const match = /^(\d{1,5})(?:x(\d{1,5}))?$/.exec(text);
  const height = Number(match?.[1]);
  const width = Number(match?.[2] ?? match?.[1]);
  if (!match || height < 1 || width < 1) {
    throw new InvalidArgumentError('Give a size such as 150, or height x width such as 150x200.');
  }
  return [height, width];
}

/** Collects `name=path` pairs of a repeatable option. */
export function namedPath(text: string, previous: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1)
    throw new InvalidArgumentError('Give NAME=PATH, such as inception_v3=weights.h5.');
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}
