import { visible, visibleJson, visibleLine } from '@convbase/base';
import { inspect } from 'node:util';

// The one way out for what the command says: every line and text has its control characters made visible here, since
// what is said is full of names from outside. Those that a display needs are added here as well, behind that.

type Stream = Pick<NodeJS.WritableStream, 'write'>;

/** Prints a line of a command's result on stdout. */
export function printLine(line: string): void {
  writeLine(process.stdout, line);
}

/** Prints a table or a file, whose line breaks are meant as such. */
export function printText(text: string): void {
  process.stdout.write(`${visible(text)}\n`);
}

/** Prints a value for programs, exactly. */
export function printJson(value: object): void {
  process.stdout.write(`${visibleJson(value)}\n`);
}

/** Prints a command's result on stdout: as JSON where that is wanted, else as lines for people. */
export function printResult(json: boolean | undefined, result: object, ...lines: readonly string[]): void {
  if (json) printJson(result);
  else lines.forEach(printLine);
}

/** Says something beside the result, on stderr. */
export function sayLine(line: string): void {
  writeLine(process.stderr, line);
}

/** Says what went wrong, in as many lines as the error has. */
export function sayError(error: Error): void {
  process.stderr.write(`error: ${visible(error.message)}\n`);
}

/** Says what should not have happened, indented, so that no line of it looks like one of the command's own. */
export function sayFault(error: unknown): void {
  sayLine('error: a fault in convbase itself; please report it with the lines below');
  for (const line of inspect(error).split('\n')) sayLine(`  ${line}`);
}

export function writeLine(stream: Stream, line: string): void {
  stream.write(`${visibleLine(line)}\n`);
}

/** Erases the line that the cursor is in. */
export function eraseLine(stream: Stream): void {
  stream.write(ERASE);
}

/** Puts a line in place of the one that the cursor is in, and leaves the cursor there. */
export function drawLine(stream: Stream, line: string): void {
  stream.write(ERASE + visibleLine(line));
}

/** Leaves what is drawn standing. */
export function endLine(stream: Stream): void {
  stream.write('\n');
}

/** Resolves when everything has been written to a stream, or nothing more can be. */
export function allWritten(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => {
      resolve();
    });
  });
}

const ERASE = '\r\u001b[2K';

/** How commander prints help and errors of usage, which quote the command line. */
export const commanderOutput = {
  writeOut: (text: string): void => void process.stdout.write(visible(text)),
  writeErr: (text: string): void => void process.stderr.write(visible(text)),
  outputError: (text: string, write: (text: string) => void): void => {
    // Commander's own second line; any other line break is one of an argument.
    const [, error = '', suggestion = ''] = /^(.*?)(\n\(Did you mean [^\n]*\?\))?\n?$/s.exec(text) ?? [];
    write(`${visibleLine(error)}${suggestion}\n`);
  },
};
