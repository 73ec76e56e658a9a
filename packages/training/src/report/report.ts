import { join } from 'node:path';
import { writeFileAtomic } from '@convbase/base/node';
import type { AdapterDescription } from '@convbase/core-gpu';
import type { HistoryFile } from '../logs/index.ts';
import { evaluationSection } from './evaluation-section.ts';
import type { Evaluation } from './evaluation.ts';
import { historySection } from './history-section.ts';
import { Html, html } from './html.ts';
import { picturesSection } from './pictures-section.ts';
import { resultOf } from './result.ts';
import { adapterSection, settingsSection, summarySection } from './settings-section.ts';
import { stagesSection, type ReportStage } from './stages-section.ts';
import { style } from './style.ts';

/** What a report tells. */
export interface ReportData {
  /** What was trained: the recipe's name, or the model's. */
  readonly title: string;
  /** How it ended; `finished` when left out. */
  readonly status?: 'finished' | 'stopped';
  /** Settings by name; nested ones appear under their common name. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly adapter: AdapterDescription;
  /** The model's summary as `model.summary()` prints it. */
  readonly summary?: string;
  readonly history: HistoryFile;
  readonly stages?: readonly ReportStage[];
  /** On which pictures the model was judged at the end, such as `test`, and what came out. */
  readonly evaluation?: { readonly on: string; readonly result: Evaluation };
  /** The file of a sample that was judged, by its index, to show the most wrong ones. */
  readonly pictureOf?: (index: number) => string | undefined;
  /** How many wrong pictures are shown; 12 when left out. */
  readonly wrongPictures?: number;
  /** Of the learning curves; 0.8 when left out. */
  readonly smoothing?: number;
  /** What the whole training took. */
  readonly seconds?: number;
  /** When the report is written; now when left out. */
  readonly date?: Date;
}

/**
 * Writes `report.html` into a folder: one file that needs nothing else, neither network nor scripts, for screen (light
 * and dark) and paper. Every name from outside is escaped. Returns its path.
 *
 * Errors: those of `fileError`.
 */
export async function writeReport(folder: string, data: ReportData): Promise<string> {
  const path = join(folder, 'report.html');
  await writeFileAtomic(path, await reportHtml(data));
  return path;
}

/** The text of a report. */
export async function reportHtml(data: ReportData): Promise<string> {
  const { title, configuration, adapter, summary, history, stages = [], evaluation, smoothing } = data;
  const marks = stages
    .filter(({ firstEpoch, epochs }) => firstEpoch > 0 && epochs > 0)
    .map(({ firstEpoch, name }) => ({ epoch: firstEpoch, text: name }));
  const curves = { marks, ...(smoothing === undefined ? {} : { smoothing }) };
  const { wrongPictures = 12, pictureOf = () => undefined, date = new Date() } = data;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="convbase" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <title>${title}</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <p class="result">${resultOf(data)}</p>
        </header>
        ${await historySection(history, curves)}
        ${stages.length > 0 ? stagesSection(stages, history) : undefined}
        ${evaluation === undefined ? undefined : evaluationSection(evaluation)}
        ${evaluation === undefined ? undefined : await picturesSection(evaluation.result, pictureOf, wrongPictures)}
        ${settingsSection(configuration)} ${adapterSection(adapter)}
        ${summary === undefined ? undefined : summarySection(summary)}
        <footer class="faint">
          Written by convbase on ${date.toISOString().replace('T', ' ').slice(0, 16)} UTC.
        </footer>
      </body>
    </html> `;
  return page.text;
}
