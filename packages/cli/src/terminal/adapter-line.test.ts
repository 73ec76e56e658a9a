import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { sayAdapter, wrapped } from './adapter-line.ts';

const llvmpipe = {
  name: 'llvmpipe: Mesa 25.0.7-2~bpo12+1 (LLVM 15.0.6) 0.0.1',
  kind: 'software',
} as const;

function said(terminal: { isTTY: boolean; columns?: number }): string {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), terminal);
  sayAdapter(llvmpipe, stream as unknown as NodeJS.WriteStream);
  return String(stream.read());
}

it('is one line in a pipe, however long', () => {
  expect(said({ isTTY: false })).toBe(`adapter: ${llvmpipe.name} (software: this runs on the CPU)\n`);
});

it('breaks between words on a terminal', () => {
  const lines = `adapter: ${llvmpipe.name} (software: this\n  runs on the CPU)\n`;
  expect(said({ isTTY: true, columns: 80 })).toBe(lines);
  expect(said({ isTTY: true, columns: 0 })).toBe(lines);
  expect(said({ isTTY: true, columns: 200 })).toBe(said({ isTTY: false }));
});

it('is never as wide as the terminal, and loses nothing', () => {
  const text = said({ isTTY: false }).trimEnd();
  for (let columns = 30; columns < 120; columns++) {
    const lines = wrapped(text, columns).split('\n');
    for (const line of lines) expect(line.length).toBeLessThan(columns);
    expect(lines.map((line) => line.trim()).join(' ')).toBe(text);
  }
  expect(wrapped('a reallylongword b', 8)).toBe('a\n  reallylongword\n  b');
});
