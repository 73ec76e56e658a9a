import { ConvbaseError } from '@convbase/base';
import type { HistoryFile } from '../logs/index.ts';

export interface LearningCurveOptions {
  /**
   * How much of the smoothed curve's last point is kept in the next one, from 0 (no smoothing) to below 1: an
   * exponential moving average. 0.8 when left out.
   */
  readonly smoothing?: number;
  /** Epochs (counted from 0) before which a line is drawn, with its text: where a stage begins. */
  readonly marks?: readonly { readonly epoch: number; readonly text: string }[];
}

/** A picture of one metric over the epochs, training and validation. */
export interface LearningCurve {
  /** `loss`, `accuracy` .. */
  readonly metric: string;
  readonly svg: string;
  readonly png: Uint8Array;
}

/** A curve for each metric of a history, the loss first. */
export function learningCurves(
  _history: Pick<HistoryFile, 'epoch' | 'history'>,
  _options: LearningCurveOptions = {},
): Promise<readonly LearningCurve[]> {
  return Promise.reject(new ConvbaseError('plot/unsupported', 'curves cannot be drawn yet'));
}

/** Writes `<metric>.svg` and `<metric>.png` for each curve into a folder and returns their paths. */
export function writeLearningCurves(
  _folder: string,
  _history: Pick<HistoryFile, 'epoch' | 'history'>,
  _options: LearningCurveOptions = {},
): Promise<readonly string[]> {
  return Promise.reject(new ConvbaseError('plot/unsupported', 'curves cannot be drawn yet'));
}
