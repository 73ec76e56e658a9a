import { chartColors } from '../plots/chart-colors.ts';

/** Light and dark by the reader's preference; paper is always light. */
export const style = `
:root {
  color-scheme: light dark;
  --background: ${chartColors.background}; --text: ${chartColors.text}; --faint: #59636e; --line: #d4d9df; --panel: #f5f7f9;
  --axis: ${chartColors.faint}; --grid: ${chartColors.grid};
  --training: ${chartColors.training}; --validation: ${chartColors.validation};
  --right: 11 101 194; --wrong: 194 65 11;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --background: #0f1419; --text: #e2e7ec; --faint: #98a3ae; --line: #333c46; --panel: #181f27;
    --axis: #77828d; --grid: #28313a; --training: #5aa9f8; --validation: #f59a67;
    --right: 42 120 205; --wrong: 205 82 32;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 62rem; background: var(--background); color: var(--text);
  font: 16px/1.5 system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; }
h1 { margin: 0; font-size: 1.75rem; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .75rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); font-size: 1.2rem; }
h3 { margin: 0 0 .5rem; font-size: 1rem; overflow-wrap: anywhere; }
p { margin: .5rem 0; }
.result { font-size: 1.15rem; }
.apart { margin-top: 1.5rem; }
.faint, figcaption { color: var(--faint); font-size: .875rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .3rem .7rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
td.number, th.number { text-align: right; white-space: nowrap; }
th[scope=row] { min-width: 7rem; font-weight: 400; overflow-wrap: break-word; }
tfoot th, tfoot td { color: var(--faint); }
.settings th[scope=row] { color: var(--faint); }
.settings td { min-width: 11rem; max-width: 46rem; overflow-wrap: break-word; }
.curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1rem; }
.curves svg { display: block; width: 100%; height: auto; }
.stages { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); gap: 1rem; }
.stage { padding: .9rem 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem .9rem; margin: 0; font-size: .9rem; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.confusion thead td { background: none; border: 0; }
.confusion tbody td { text-align: right; vertical-align: middle; min-width: 3.4rem; border: 1px solid var(--line); background: rgb(var(--wrong) / var(--share)); }
.confusion tbody td.right { background: rgb(var(--right) / var(--share)); }
.confusion tbody td.strong { color: #fff; }
.confusion th { max-width: 9rem; text-align: right; overflow-wrap: break-word; vertical-align: bottom; }
.confusion tbody th { min-width: 0; font-weight: 600; vertical-align: middle; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 1.25rem 1rem; }
figure { margin: 0; min-width: 0; }
.pictures img, .pictures .missing { display: flex; width: 100%; height: 9.5rem; object-fit: contain; background: var(--panel);
  border: 1px solid var(--line); border-radius: 4px; align-items: center; justify-content: center; padding: .25rem; }
figcaption { margin-top: .3rem; overflow-wrap: anywhere; line-height: 1.35; }
figcaption b { color: var(--text); }
pre { margin: 0; padding: .75rem; overflow-x: auto; background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
  font: 12px/1.25 'DejaVu Sans Mono', Menlo, Consolas, monospace; }
summary { cursor: pointer; color: var(--faint); padding: .25rem 0; }
footer { margin-top: 3rem; }
@media print {
  body { max-width: none; padding: 0; font-size: 11pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; }
  figure, .stage, tr, .curves svg { break-inside: avoid; }
  pre { font-size: 7pt; white-space: pre; overflow: hidden; border: 0; }
  .scroll { overflow: visible; }
}
`.trim();
