import { ConvbaseError } from '@convbase/base';
import type { AdapterDescription } from '@convbase/core-gpu';
import type { HistoryFile } from '../logs/index.ts';
import type { Evaluation } from './evaluation.ts';

/** A part of the training with its own settings. */
export interface ReportStage {
  readonly name: string;
  /** First epoch, counted from 0 over the whole run. */
  readonly firstEpoch: number;
  /** Epochs that ran. */
  readonly epochs: number;
  readonly seconds?: number;
  /** What is special about it: layers trained, optimizer, augmentation, whether the frozen part was cached. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

export interface ReportData {
  /** What was trained: the recipe's name, or the model's. */
  readonly title: string;
  /** How it ended; `finished` when left out. */
  readonly status?: 'finished' | 'stopped';
  /** Settings by name; nested ones are shown indented. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly adapter: AdapterDescription;
  /** The model's summary as `model.summary()` prints it. */
  readonly summary?: string;
  readonly history: HistoryFile;
  readonly stages?: readonly ReportStage[];
  /** On which pictures the model was judged at the end, such as `test`, and what came out. */
  readonly evaluation?: { readonly on: string; readonly result: Evaluation };
  /** The file of a sample by its index, to show the most wrong ones. */
  readonly pictureOf?: (index: number) => string | undefined;
  /** How many wrong pictures are shown; 12 when left out. */
  readonly wrongPictures?: number;
  readonly smoothing?: number;
  /** Seconds the whole training took. */
  readonly seconds?: number;
  /** When the report is written; now when left out. */
  readonly date?: Date;
}

/**
 * Writes `report.html` into a folder: one file that needs nothing else, neither network nor scripts, for screen (light
 * and dark) and paper. Returns its path.
 */
export function writeReport(folder: string, _data: ReportData): Promise<string> {
  return Promise.reject(
    new ConvbaseError('report/unsupported', 'reports cannot be written yet', { where: folder }),
  );
}
