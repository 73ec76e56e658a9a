import { decodeImage } from '@convbase/data';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../testing/runs.ts';
import { writePictures } from '../testing/samples.ts';

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-augment-'));
  await writePictures(at('pictures'), 3);
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

describe('convbase augment', () => {
  it('writes a square of variants of one picture', async () => {
    const flags = ['--rotation-range', '40', '--zoom-range', '0.8,1.2', '--horizontal-flip', '--size', '20'];
    const { code, stdout } = await inProcess(
      'augment',
      at('pictures'),
      '--preview',
      at('grid.png'),
      ...flags,
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      preview: at('grid.png'),
      pictures: 1,
      variants: 9,
      width: 92,
      height: 92,
    });
    const grid = await decodeImage(at('grid.png'));
    expect([grid.width, grid.height]).toEqual([92, 92]);
    expect(await readdir(root)).toEqual(['grid.png', 'pictures']);
  });

  it('writes a row for each of several pictures, the same for the same seed', async () => {
    const draw = async (name: string, seed: string): Promise<Uint8Array> => {
      const { code } = await inProcess(
        ...['augment', at('pictures'), '--preview', at(name), '--seed', seed, '--size', '10x12'],
        ...[
          '--layers',
          'flip:horizontal,rotation:0.1,zoom:-0.2..0.3',
          '--count',
          '2',
          '--variants',
          '3',
          '--original',
        ],
      );
      expect(code).toBe(0);
      const { width, height, data } = await decodeImage(at(name));
      expect([width, height]).toEqual([4 * 20 + 8, 2 * 18 + 8]);
      return data;
    };
    const first = await draw('a.png', '1');
    expect(Buffer.compare(await draw('b.png', '1'), first)).toBe(0);
    expect(Buffer.compare(await draw('c.png', '2'), first)).not.toBe(0);
  });

  it.each([
    [['--preview', 'grid.gif', '--vertical-flip'], 'usage/format', '.png, .jpg'],
    [['--preview', 'grid.png'], 'usage/augmentation', 'nothing is to be done'],
    [
      ['--preview', 'grid.png', '--layers', 'flip', '--vertical-flip'],
      'usage/augmentation',
      'cannot be mixed',
    ],
    [['--preview', 'grid.png', '--layers', 'flip,spin:3'], 'augment/layers', "'spin:3'"],
    [['--preview', 'grid.png', '--brightness-range', '1'], 'augment/option', 'brightnessRange'],
  ])('refuses %o', async (flags, code, message) => {
    const outcome = await inProcess('augment', at('pictures'), ...flags, '--json');
    expect(outcome.code).toBe(code.startsWith('usage/') ? 2 : 1);
    expect(outcome.stdout).toContain(code);
    expect(outcome.stderr).toContain(message);
  });
});
