import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeImage } from '@convbase/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curveSvgs, learningCurves, writeLearningCurves } from './learning-curves.ts';
import { smooth } from './smooth.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'convbase-plots-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const history = {
  epoch: [0, 1, 2, 3, 4],
  history: {
    accuracy: [0.5, 0.7, 0.8, 0.9, 0.95],
    val_accuracy: [0.5, 0.6, 0.7, 0.7, 0.75],
    loss: [0.7, 0.6, null, 0.4, 0.3],
    val_loss: [0.7, 0.65, 0.6, 0.6, 0.62],
    learning_rate: [0.1, 0.1, 0.1, 0.01, 0.01],
  },
};

/** The texts of an SVG. */
function textsOf(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = '']) => text);
}

describe('smooth', () => {
  it("is the book's: each point a fifth of itself, the rest of what was before", () => {
    const values = [1, 2, 4];
    expect(smooth(values, 0.8)).toEqual([
      1,
      1 * 0.8 + 2 * (1 - 0.8),
      (1 * 0.8 + 2 * (1 - 0.8)) * 0.8 + 4 * (1 - 0.8),
    ]);
    expect(smooth(values, 0)).toEqual(values);
    expect(smooth([null, 1, null, 2], 0.5)).toEqual([null, 1, null, 1.5]);
  });
});

describe('curveSvgs', () => {
  it('draws each metric once, the loss first, without the learning rate', async () => {
    const curves = await curveSvgs(history);
    expect(curves.map(({ metric }) => metric)).toEqual(['loss', 'accuracy']);
  });
  it('numbers epochs from 1, labels both axes and names both lines', async () => {
    const [loss] = await curveSvgs(history, { marks: [{ epoch: 3, text: 'fine-tune' }] });
    const texts = textsOf(loss!.svg);
    expect(texts).toEqual(
      expect.arrayContaining(['1', '2', '3', '4', '5', 'epoch', 'training', 'validation', 'fine-tune']),
    );
    expect(texts.filter((text) => text === 'loss')).toHaveLength(2);
    expect(texts).not.toContain('0.5 epoch');
  });
  it('tells training and validation apart without colour, and raw from smoothed', async () => {
    const [loss] = await curveSvgs(history);
    const lines = [...loss!.svg.matchAll(/<path [^>]*stroke="#(0b65c2|c2410b)"[^>]*>/g)].map(
      ([line]) => line,
    );
    const of = (color: string, faint: boolean): string | undefined =>
      lines.find((line) => line.includes(color) && line.includes('stroke-opacity') === faint);
    for (const faint of [true, false]) {
      expect(of('#0b65c2', faint)).not.toContain('stroke-dasharray');
      expect(of('#c2410b', faint)).toContain('stroke-dasharray');
    }
    expect(of('#0b65c2', false)).toContain('stroke-width="2.5"');
    const [plain] = await curveSvgs(history, { smoothing: 0 });
    expect(plain!.svg).not.toContain('stroke-opacity');
  });
  it('smooths nothing that is too short for it', async () => {
    const short = { epoch: [0, 1], history: { loss: [1, 0.5] } };
    const [loss] = await curveSvgs(short);
    expect(loss!.svg).toBe((await curveSvgs(short, { smoothing: 0 }))[0]!.svg);
  });
  it('shows control characters, which XML has no room for', async () => {
    const marks = [{ epoch: 1, text: 'fine\u001b[2J\u202e\ntune' }];
    const [curve] = await curveSvgs({ epoch: [0, 1], history: { 'lo\u0007ss\u009b': [1, 2] } }, { marks });
    expect(curve?.svg).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
    expect(textsOf(curve?.svg ?? '')).toEqual(
      expect.arrayContaining(['lo\\x07ss\\x9b', 'fine\\x1b[2J\\u202e\\ntune']),
    );
  });
  it('escapes names, draws a single epoch, and nothing of nothing', async () => {
    const one = { epoch: [7], history: { loss: [0.5], 'a<b>': [1] } };
    const curves = await curveSvgs(one);
    expect(curves.map(({ svg }) => svg.includes('<b>'))).toEqual([false, false]);
    expect(textsOf(curves[0]!.svg)).toContain('8');
    expect(await curveSvgs({ epoch: [], history: {} })).toEqual([]);
  });
});

describe('learning curves as files', () => {
  it('are PNG with text in it, on a machine without fonts too', async () => {
    const paths = await writeLearningCurves(folder, history);
    expect(paths.map((path) => path.slice(folder.length + 1))).toEqual([
      'loss.svg',
      'loss.png',
      'accuracy.svg',
      'accuracy.png',
    ]);
    const { width, height, data } = await decodeImage(join(folder, 'loss.png'));
    expect([width, height]).toEqual([1280, 800]);
    // The name of the x axis stands alone in a strip under the ticks' numbers.
    const dark = (x0: number, x1: number, y0: number, y1: number): number => {
      let count = 0;
      for (let y = y0; y < y1; y++)
        for (let x = x0; x < x1; x++) if (data[(y * width + x) * 3]! < 100) count++;
      return count;
    };
    expect(dark(600, 760, 700, 740)).toBeGreaterThan(200);
    expect(dark(200, 560, 700, 740)).toBe(0);
    const [loss] = await learningCurves(history);
    expect(Buffer.from(loss!.png).equals(readFileSync(join(folder, 'loss.png')))).toBe(true);
    expect(loss!.svg).toBe(readFileSync(join(folder, 'loss.svg'), 'utf8'));
  });
});
