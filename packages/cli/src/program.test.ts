import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from './program.ts';
import { inProcess } from './testing/runs.ts';

/** Every command that does something, by its words. */
function commands(): { words: string[]; command: Command; program: Command }[] {
  const program = createProgram({ signal: new AbortController().signal, graceMs: 0, exitCode: 0 });
  const walk = (command: Command, words: string[]): ReturnType<typeof commands> =>
    command.commands.length > 0
      ? command.commands.flatMap((below) => walk(below, [...words, below.name()]))
      : [{ words, command, program }];
  return walk(program, []);
}

describe('every command', () => {
  it.each(commands().map(({ words }) => words))(
    '%s has --help with examples that parse',
    async (...words) => {
      const { code, stdout, stderr } = await inProcess(...words, '--help');
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain('--json');
      const examples = [...stdout.matchAll(/^ {2}convbase (.+)$/gm)].map(([, line = '']) => line.split(' '));
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) {
        expect(example.slice(0, words.length)).toEqual(words);
        const { command, program } = commands().find((each) => each.words.join() === words.join()) ?? {};
        let called = false;
        command?.action(() => {
          called = true;
        });
        await program?.parseAsync(example, { from: 'user' });
        expect(called).toBe(true);
      }
    },
  );

  it.each(commands().map(({ words }) => words))(
    '%s refuses unknown options with exit code 2',
    async (...words) => {
      const { code, stderr } = await inProcess(...words, '--no-such-thing');
      expect(code).toBe(2);
      expect(stderr).toContain("unknown option '--no-such-thing'");
    },
  );
});

describe('the command line', () => {
  it('says its version, and lists the commands', async () => {
    expect((await inProcess('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const { code, stdout } = await inProcess('--help');
    expect(code).toBe(0);
    for (const { words } of commands()) expect(stdout).toContain(`\n  ${words[0] ?? ''} `);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it.each([
    [[], /Usage: convbase/],
    [['trian'], /Did you mean train/],
    [['extract', 'x', '--model', 'vgg16'], /required option '--out <dir>'/],
    [['extract', 'x', '--out', 'y'], /required option '--model <model>'/],
    [['extract', 'x', '--model', 'vgg16', '--out', 'y', '--size', '0'], /Give a size such as 150/],
    [
      ['extract', 'x', '--model', 'vgg16', '--out', 'y', '--resize', 'bicubic'],
      /Allowed choices are nearest/,
    ],
    [['train', 'x', '--out', 'y', '--dropout', '1'], /below 1/],
    [['train', 'x', '--out', 'y', '--epochs', '0'], /at least 1/],
    [['train', 'x', '--out', 'y', '--epochs', '1.5'], /--epochs.* whole number of at least 1/s],
    [['train', 'x', '--out', 'y', '--epochs', 'Infinity'], /--epochs.* whole number/s],
    [['train', 'x', '--out', 'y', '--batch-size', '0'], /--batch-size.* at least 1/s],
    [['train', 'x', '--out', 'y', '--units', '1e9'], /--units.* whole number/s],
    [['train', 'x', '--out', 'y', '--units', '1000000000'], /--units.* at most 1000000/s],
    [['train', 'x', '--out', 'y', '--dropout', '1'], /--dropout.* below 1/s],
    [['train', 'x', '--out', 'y', '--learning-rate', 'NaN'], /--learning-rate/],
    [['finetune', 'x', '--out', 'y', '--units', '-1'], /--units.* whole number/s],
    [['finetune', 'x', '--out', 'y', '--steps-per-epoch', '0'], /--steps-per-epoch.* at least 1/s],
    [['extract', 'x', '--modle', 'vgg16'], /unknown option '--modle'[\s\S]*Did you mean --model/],
    [['train', 'x', '--ou', 'y'], /unknown option '--ou'/],
    [['predict', 'x'], /missing required argument 'images'/],
    [['verify', '--weights', 'vgg16'], /NAME=PATH/],
    [['train', 'x', '--out', ''], /the value of --out is empty/],
    [['convert', 'x', ''], /argument 2 of convert is empty/],
    [['bench', '--list', '--only', 'x', ''], /the value of --only is empty/],
    [['weights'], /Usage: convbase weights/],
  ] as const)('%j is wrong usage', async (args, message) => {
    const { code, stdout, stderr } = await inProcess(...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
  });
});
