/** Light and dark by the reader's preference; paper is always light. */
export const style = `
:root {
  color-scheme: light dark;
  --background: #ffffff; --text: #24292f; --faint: #59636e; --line: #d9dee4; --panel: #f5f7f9; --bad: #b3261e;
}
@media screen and (prefers-color-scheme: dark) {
  :root { --background: #0f1419; --text: #e2e7ec; --faint: #98a3ae; --line: #333c46; --panel: #181f27; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 72rem; background: var(--background); color: var(--text);
  font: 16px/1.5 system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; }
h1 { margin: 0; font-size: 1.75rem; }
h2 { margin: 2.5rem 0 .75rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); font-size: 1.2rem; }
h3 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
p, ul { margin: .5rem 0; max-width: 52rem; }
.notice { padding: .6rem .9rem; border-left: 4px solid #e69f00; background: var(--panel); }
.faint, .faint td { color: var(--faint); }
.small { font-size: .875rem; }
.bad { color: var(--bad); }
.scroll { overflow-x: auto; }
.chart svg { display: block; width: 100%; max-width: 62rem; height: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .875rem; }
th, td { padding: .25rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
tbody th { padding-top: .9rem; }
tbody th code { font-weight: 400; color: var(--faint); font-size: .8rem; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.name { padding-left: 1.4rem; white-space: nowrap; }
td.name i { display: inline-block; width: .65rem; height: .65rem; margin-right: .45rem; border-radius: 2px; }
tr.base td { color: var(--faint); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .5rem 0; font-size: .9rem; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
`;
