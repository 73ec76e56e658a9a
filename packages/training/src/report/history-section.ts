import type { HistoryFile } from '../logs/index.ts';
import { chartColors } from '../plots/chart-colors.ts';
import { curveSvgs, type LearningCurveOptions } from '../plots/learning-curves.ts';
import { Html, html } from './html.ts';
import { measure } from './words.ts';

/** The page's own names for the colours of a chart, so that they follow light and dark. */
const variables: Readonly<Record<keyof typeof chartColors, string>> = {
  background: 'var(--background)',
  text: 'var(--text)',
  faint: 'var(--axis)',
  grid: 'var(--grid)',
  training: 'var(--training)',
  validation: 'var(--validation)',
};

export async function historySection(history: HistoryFile, options: LearningCurveOptions): Promise<Html> {
  const curves = await curveSvgs(history, options);
  if (curves.length === 0)
    return html`<section id="curves">
      <h2>Learning curves</h2>
      <p>No epoch was completed.</p>
    </section>`;
  return html`
    <section id="curves">
      <h2>Learning curves</h2>
      <div class="curves">${curves.map(({ metric, svg }) => inline(metric, svg))}</div>
      <details>
        <summary>All epochs as numbers</summary>
        ${epochTable(history)}
      </details>
    </section>
  `;
}

function inline(metric: string, svg: string): Html {
  let text = svg;
  for (const [name, color] of Object.entries(chartColors)) {
    text = text.replaceAll(color, variables[name as keyof typeof chartColors]);
  }
  return html`<figure role="img" aria-label="${metric} over the epochs">${new Html(text)}</figure>`;
}

function epochTable({ epoch, history }: HistoryFile): Html {
  const columns = Object.entries(history);
  return html`
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col" class="number">epoch</th>
            ${columns.map(([name]) => html`<th scope="col" class="number">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${epoch.map(
            (number, index) =>
              html`<tr>
                <td class="number">${number + 1}</td>
                ${columns.map(([, values]) => html`<td class="number">${measure(values[index])}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  `;
}
