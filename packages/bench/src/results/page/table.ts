import { html, type Html } from '@convbase/training';
import { BASE } from '../row.ts';
import type { Figure, Results, Row } from '../schema.ts';
import { byCase, failure, percent, ratio, runsOn, spread, time } from '../words.ts';

const columns = 10;

/** Every row, case by case. */
export function resultTable(results: Results, colors: ReadonlyMap<string, string>): Html {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>contender</th>
          <th class="number">median</th>
          <th class="number">p95</th>
          <th class="number">spread</th>
          <th class="number">runs</th>
          <th class="number">processor time</th>
          <th class="number">vs tfjs webgpu</th>
          <th class="number">of limit</th>
          <th>checked against</th>
          <th class="number">peak memory</th>
        </tr>
      </thead>
      <tbody>
        ${byCase(results).map(
          ({ id, title, rows, figures }) => html`
            <tr>
              <th colspan="${columns}">${title}${softwareNote(rows)} <code>${id}</code></th>
            </tr>
            ${rows.map((row) => resultRow(row, colors.get(row.label)))} ${figures.map(figureRow)}
          `,
        )}
      </tbody>
    </table>
  </div>`;
}

function softwareNote(rows: readonly Row[]): string {
  return rows.some(({ adapterKind }) => adapterKind === 'software') ? ' (software adapter)' : '';
}

function resultRow(row: Row, color = 'transparent'): Html {
  const name = html`<td class="name" title="${runsOn(row)}">
    <i style="background: ${color}"></i>${row.label}
  </td>`;
  if (row.medianMs === null) {
    const message = row.unsupported === true ? 'faint' : 'bad';
    return html`<tr>
      ${name}
      <td colspan="${columns - 1}" class="${message}">${failure(row).replaceAll('\n', ' ')}</td>
    </tr>`;
  }
  const checked =
    row.correct === null
      ? 'nothing to compare with'
      : `${row.reference ?? ''}${row.difference === null ? '' : ` (${row.difference.toExponential(0)})`}`;
  return html`<tr class="${row.contender === BASE ? 'base' : ''}">
    ${name}
    <td class="number">${time(row.medianMs)}</td>
    <td class="number">${time(row.p95Ms ?? NaN)}</td>
    <td class="number">±${percent(spread(row))}</td>
    <td class="number">${row.runs}</td>
    <td class="number">${row.cpuMs === null ? '' : time(row.cpuMs)}</td>
    <td class="number">${row.contender === BASE ? '' : ratio(row.ratioToTfjsWebgpu)}</td>
    <td class="number">${percent(row.shareOfLimit)}</td>
    <td>${checked}</td>
    <td class="number">${memory(row)}</td>
  </tr>`;
}

function figureRow({ contender, medianMs, adapter, note }: Figure): Html {
  return html`<tr class="faint">
    <td class="name"><i></i>${contender}</td>
    <td class="number">${time(medianMs)}</td>
    <td colspan="${columns - 2}">measured elsewhere: ${[adapter, note].filter(Boolean).join('; ')}</td>
  </tr>`;
}

function memory({ peakResidentMiB, peakGpuMiB }: Row): string {
  const gpu = peakGpuMiB === null ? '' : `, GPU ${peakGpuMiB}`;
  return peakResidentMiB === null ? '' : `${peakResidentMiB}${gpu} MiB`;
}
