import { html, Html } from '@convbase/training';
import type { Results } from '../schema.ts';
import { digits, measuredOn } from '../words.ts';
import { limitCharts, speedCharts, type DrawnChart } from './charts.ts';
import { colorsOf } from './colors.ts';
import { style } from './style.ts';
import { ladderTable } from './ladders.ts';
import { resultTable } from './table.ts';

const groupTitles: Readonly<Record<string, string>> = {
  forward: 'Whole networks, forward',
  training: 'Training',
  convolutions: 'Single convolutions',
  pictures: 'From files to features',
  start: 'Start of the process to first result',
};

/** The results as one page that needs nothing else, neither network nor scripts. */
export function pageOf(results: Results): string {
  const colors = colorsOf([...new Set(results.rows.map(({ label }) => label))]);
  const { adapter, date, missing } = results;
  const { gigaflops, gigabytes } = adapter.roofline;
  const software = adapter.kind === 'software' ? ' (software adapter)' : '';
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="convbase" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>convbase benchmarks</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <h1>convbase benchmarks</h1>
        <p class="faint">${date.replace('T', ' ').slice(0, 16)} UTC, set “${results.set}”</p>
        <p>On ${measuredOn(results)}.</p>
        ${
          adapter.kind === 'software'
            ? html`<p class="notice">
                The adapter is a <b>software adapter</b>: a rasteriser that runs WebGPU on the processor. Read
                the ratios, not the times; they say little of GPUs.
              </p>`
            : undefined
        }
        <p>
          The adapter's own limits, measured: ${digits(gigaflops)} GFLOP/s of float32 multiply-adds,
          ${digits(gigabytes)} GB/s through a kernel that copies.
        </p>
        <h2>Beside tfjs webgpu${software}</h2>
        <p class="faint small">
          Medians of runs that took turns, on the same adapter, with the same weights and inputs. Bars left of
          the line are losses.
        </p>
        ${charts(speedCharts(results, colors))}
        <h2>Beside the adapter's own limit${software}</h2>
        <p class="faint small">
          The least time that arithmetic and memory traffic of the textbook's algorithm leave, divided by the
          median. An algorithm that does less than the textbook's (Winograd's) can pass 100 %.
        </p>
        ${charts(limitCharts(results, colors))}
        <h2>All results${software}</h2>
        ${resultTable(results, colors)}
        ${missing.map(
          ({ contender, why }) => html`<p class="faint">${contender} did not take part: ${why}.</p>`,
        )}
        ${
          results.ladders === undefined
            ? undefined
            : html`<h2>Kernels, version by version${software}</h2>
                <p class="faint small">
                  From the naive version to the one in use on this adapter, on the same inputs; each result is
                  compared with the first one's. Versions for other adapters are slow here, as they should be.
                </p>
                ${ladderTable(results.ladders)}`
        }
        <h2>How it was measured</h2>
        ${method(results)}
        <h2>What it was measured with</h2>
        ${facts(results)}
      </body>
    </html> `;
  return page.text;
}

function charts(drawn: readonly DrawnChart[]): Html {
  if (drawn.length === 0) return html`<p class="faint">Nothing to show.</p>`;
  return html`${drawn.map(
    ({ group, svg }) =>
      html`<h3>${groupTitles[group] ?? group}</h3>
        <div class="chart">${new Html(svg)}</div>`,
  )}`;
}

function method({ tolerances }: Results): Html {
  return html`<ul class="small">
    <li>
      Each contender runs in its own process and warms up; then they take turns, A B A B, so that drifts of
      the machine hit all of them alike. A turn of a quick one has several runs.
    </li>
    <li>The clock is read when the device's queue is drained and what the case wants back is on the host.</li>
    <li>
      p95 is by the nearest rank: the largest of fewer than 20 runs. The spread is half of the distance
      between the shortest and the longest run, as a share of the median. Processor time is that of all
      threads of the process.
    </li>
    <li>
      No time is shown for a wrong result. A convolution is compared with float64 by its definition, at up to
      1024 places; a network with what another contender computes. Relative L2 differences allowed:
      ${Object.entries(tolerances)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ')}.
      Where two differ and there is no third, nobody can say which is right, and neither time is shown.
    </li>
    <li>A contender that cannot do a case is shown with the reason it gives.</li>
  </ul>`;
}

function facts({ adapter, machine, rows, toggles, versions }: Results): Html {
  const runners = [...new Map(rows.map((row) => [row.label, row.adapter])).entries()];
  const pairs: [string, string][] = [
    ...Object.entries(versions),
    ['machine', `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}`],
    ['adapter', `${adapter.name}, ${adapter.kind}`],
    ['features', adapter.features.join(', ')],
    ...Object.entries(adapter.limits).map(([name, value]): [string, string] => [name, String(value)]),
    ...Object.entries(toggles),
    ...runners.filter(([, on]) => on !== '').map(([label, on]): [string, string] => [label, `on ${on}`]),
  ];
  return html`<dl>
    ${pairs.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}
