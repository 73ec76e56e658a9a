import type { HistoryFile } from '../logs/index.ts';
import { html, type Html } from './html.ts';
import { measure, plain, time } from './words.ts';

/** A part of the training with its own settings. */
export interface ReportStage {
  readonly name: string;
  /** Its first epoch, counted from 0 over the whole run. */
  readonly firstEpoch: number;
  /** Epochs that ran. */
  readonly epochs: number;
  readonly seconds?: number;
  /** What is special about it: layers trained, optimizer, augmentation, whether the frozen part was cached. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** Each stage with what it came to. */
export function stagesSection(stages: readonly ReportStage[], history: HistoryFile): Html {
  return html`
    <section id="stages">
      <h2>${stages.length === 1 ? 'Stage' : 'Stages'}</h2>
      <div class="stages">
        ${stages.map((stage, index) => card(stages.length === 1 ? stage.name : `${index + 1}. ${stage.name}`, stage, history))}
      </div>
    </section>
  `;
}

function card(title: string, stage: ReportStage, { epoch, history }: HistoryFile): Html {
  const last = epoch.indexOf(stage.firstEpoch + stage.epochs - 1);
  const results =
    last < 0 ? [] : Object.entries(history).map(([name, values]) => [name, measure(values[last])]);
  const rows = [
    ['epochs', epochsOf(stage)],
    ...(stage.seconds === undefined ? [] : [['time', time(stage.seconds)]]),
    ...Object.entries(stage.details ?? {}).map(([name, value]) => [name, plain(value)]),
    ...results,
  ];
  return html`
    <div class="stage">
      <h3>${title}</h3>
      <dl>
        ${rows.map(
          ([name, value]) =>
            html`<dt>${name}</dt>
              <dd>${value}</dd>`,
        )}
      </dl>
    </div>
  `;
}

function epochsOf({ firstEpoch, epochs }: ReportStage): string {
  if (epochs === 0) return 'none';
  return epochs === 1 ? String(firstEpoch + 1) : `${firstEpoch + 1} to ${firstEpoch + epochs}`;
}
