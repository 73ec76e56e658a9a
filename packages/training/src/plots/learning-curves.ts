import { join } from 'node:path';
import { visibleLine } from '@convbase/base';
import { writeFileAtomic } from '@convbase/base/node';
import type { HistoryFile } from '../logs/index.ts';
import { smooth } from './smooth.ts';

export interface LearningCurveOptions {
  /**
   * How much of the smoothed curve's last point is kept in the next one, from 0 (no smoothing) to below 1; 0.8, the
   * book's, when left out. Fewer than five epochs are shown as they are.
   */
  readonly smoothing?: number;
  /** Where a stage begins: an upright line at the epoch (counted from 0) with a text. */
  readonly marks?: readonly { readonly epoch: number; readonly text: string }[];
}

/** A picture of one metric over the epochs, training and validation. */
export interface LearningCurve {
  /** `loss`, `accuracy` .. */
  readonly metric: string;
  readonly svg: string;
  readonly png: Uint8Array;
}

/** The average of a few values is still next to the first, which says nothing of the last. */
const FEWEST_TO_SMOOTH = 5;

type Curves = Pick<HistoryFile, 'epoch' | 'history'>;

/**
 * A curve for each metric of a history, the loss first, then in the history's order; epochs count from 1 there, as in
 * all that people read.
 */
export async function learningCurves(
  history: Curves,
  options: LearningCurveOptions = {},
): Promise<readonly LearningCurve[]> {
  const { pngOf } = await import('./png.ts');
  const drawn = await curveSvgs(history, options);
  return Promise.all(drawn.map(async ({ metric, svg }) => ({ metric, svg, png: await pngOf(svg) })));
}

/** Writes `<metric>.svg` and `<metric>.png` for each curve into a folder and returns their paths. */
export async function writeLearningCurves(
  folder: string,
  history: Curves,
  options: LearningCurveOptions = {},
): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const { metric, svg, png } of await learningCurves(history, options)) {
    const name = join(folder, metric.replaceAll(/[^\w.-]/g, '_'));
    await writeFileAtomic(`${name}.svg`, svg);
    await writeFileAtomic(`${name}.png`, png);
    paths.push(`${name}.svg`, `${name}.png`);
  }
  return paths;
}

/** The curves as SVG only. */
export async function curveSvgs(
  { epoch, history }: Curves,
  { smoothing = 0.8, marks = [] }: LearningCurveOptions = {},
): Promise<readonly Pick<LearningCurve, 'metric' | 'svg'>[]> {
  if (epoch.length === 0) return [];
  // A large library that few commands need.
  const { drawChart } = await import('./chart.ts');
  const smoothed = epoch.length >= FEWEST_TO_SMOOTH && smoothing > 0;
  return metricsOf(history).map((metric, index) => {
    const series = (['training', 'validation'] as const).flatMap((kind) => {
      const raw = history[kind === 'training' ? metric : `val_${metric}`];
      if (raw === undefined) return [];
      return [{ name: kind, kind, raw, ...(smoothed ? { smoothed: smooth(raw, smoothing) } : {}) }];
    });
    const svg = drawChart({
      id: `curve-${index + 1}`,
      title: visibleLine(metric.replaceAll('_', ' ')),
      x: epoch.map((one) => one + 1),
      note: smoothed ? 'thin: each epoch, thick: smoothed' : '',
      xName: 'epoch',
      series,
      marks: marks.map((mark) => ({ x: mark.epoch + 1, text: visibleLine(mark.text) })),
    });
    return { metric, svg };
  });
}

/** Each once, without `val_`, the loss first. The learning rate is a setting, no result. */
function metricsOf(history: Curves['history']): string[] {
  const names = new Set(['loss', ...Object.keys(history).map((key) => key.replace(/^val_/, ''))]);
  names.delete('learning_rate');
  return [...names].filter((name) => history[name] !== undefined || history[`val_${name}`] !== undefined);
}
