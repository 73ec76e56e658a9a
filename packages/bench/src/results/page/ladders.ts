import { html, type Html } from '@convbase/training';
import type { LadderResult } from '../schema.ts';
import { digits, ratio, time } from '../words.ts';

/** Every version of each kernel, from the naive one on. */
export function ladderTable(ladders: readonly LadderResult[]): Html {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>version</th>
          <th class="number">median</th>
          <th class="number">GFLOP/s</th>
          <th class="number">vs the first</th>
          <th class="number">difference</th>
        </tr>
      </thead>
      <tbody>
        ${ladders.map(
          ({ kernel, problem, rungs }) => html`
            <tr>
              <th colspan="5">${problem} <code>${kernel}</code></th>
            </tr>
            ${rungs.map(rungRow)}
          `,
        )}
      </tbody>
    </table>
  </div>`;
}

function rungRow({
  rung,
  milliseconds,
  gigaflops,
  speedup,
  difference,
}: LadderResult['rungs'][number]): Html {
  if (milliseconds === null || gigaflops === null) {
    return html`<tr>
      <td>${rung}</td>
      <td colspan="4" class="bad">wrong result</td>
    </tr>`;
  }
  return html`<tr>
    <td>${rung}</td>
    <td class="number">${time(milliseconds)}</td>
    <td class="number">${digits(gigaflops)}</td>
    <td class="number">${ratio(speedup)}</td>
    <td class="number">${difference?.toExponential(0)}</td>
  </tr>`;
}
