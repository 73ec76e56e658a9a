import type { AdapterDescription } from '@convbase/core-gpu';
import { html, Html } from './html.ts';
import { plain } from './words.ts';

/** How the training was set up: names and values, nested ones under their common name. */
export function settingsSection(configuration: Readonly<Record<string, unknown>>): Html {
  const rows = flatten(configuration);
  return html`
    <section id="configuration">
      <h2>Configuration</h2>
      <div class="scroll">
        <table class="settings">
          <tbody>
            ${rows.map(
              ([name, value]) =>
                html`<tr>
                  <th scope="row">${name}</th>
                  <td>${value}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </section>
  `;
}

/** Leaves of a tree with the way to them; lists of plain values are one leaf. What is undefined is left out. */
function flatten(value: unknown, path: readonly string[] = []): [name: string, value: string][] {
  if (value === undefined) return [];
  const leaf = (text: string): [string, string][] => [[path.join(' › '), text]];
  if (typeof value !== 'object' || value === null) return leaf(plain(value));
  const entries = Array.isArray(value)
    ? value.map((item: unknown, index): [string, unknown] => [String(index + 1), item])
    : Object.entries(value);
  const nested = entries.some(([, item]) => typeof item === 'object' && item !== null);
  if (entries.length === 0) return leaf('none');
  if (Array.isArray(value) && !nested) return leaf(value.map(plain).join(', '));
  return entries.flatMap(([name, item]) => flatten(item, [...path, name]));
}

/** What the training ran on. A software adapter is not what most people expect, so it is called one. */
export function adapterSection({ name, kind, driver }: AdapterDescription): Html {
  const kinds = {
    gpu: 'a GPU',
    software: 'a software adapter: everything was computed on the CPU',
    null: 'the null adapter, which computes nothing',
  } as const;
  const more = driver === '' || name.includes(driver) ? '' : driver;
  return html`
    <section id="adapter">
      <h2>Adapter</h2>
      <p>${name}, ${kinds[kind]}.</p>
      ${more === '' ? undefined : html`<p class="faint">${more}</p>`}
    </section>
  `;
}

/** The table of layers; a long one is closed at first. */
export function summarySection(summary: string): Html {
  const lines = summary.trimEnd().split('\n');
  const table = html`<pre>${lines.map((line) => html`${line}${new Html('\n')}`)}</pre>`;
  return html`
    <section id="model">
      <h2>Model</h2>
      ${
        lines.length > 60
          ? html`<details>
              <summary>${lines.length} lines</summary>
              ${table}
            </details>`
          : table
      }
    </section>
  `;
}
