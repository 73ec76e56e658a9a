import { visibleLine } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import { writeLine } from './print.ts';

/** Names on stderr what a command runs on: on a terminal no wider than that, in a pipe as one line. */
export function sayAdapter(
  { name, kind }: Pick<Gpu['adapter'], 'name' | 'kind'>,
  stream: NodeJS.WriteStream = process.stderr,
): void {
  const line = `adapter: ${visibleLine(name)}${kind === 'software' ? ' (software: this runs on the CPU)' : ''}`;
  const lines = stream.isTTY ? wrapped(line, stream.columns || 80).split('\n') : [line];
  for (const each of lines) writeLine(stream, each);
}

/** Lines shorter than `columns`, broken between words and indented after the first. A longer word stays whole. */
export function wrapped(text: string, columns: number): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length === 0 ? word : `${lines.at(-1) ?? ''} ${word}`;
    if (lines.length === 0) lines.push(word);
    // One column stays free: a full line makes some terminals wrap.
    else if (longer.length < columns) lines[lines.length - 1] = longer;
    else lines.push(`  ${word}`);
  }
  return lines.join('\n');
}
