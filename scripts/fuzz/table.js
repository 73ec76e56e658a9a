/**
 * What came of a reader's inputs.
 * @typedef {{ inputs: number, ok: number, refused: number, deep: number, worstCpuSeconds: number,
 *   worstGrowthBytes: number, failures: number }} Tally
 */

/**
 * A table of 80 columns.
 * @param {ReadonlyMap<string, Tally>} tallies by the reader's name
 */
export function tableOf(tallies) {
  const head = ['target', 'inputs', 'ok', 'refused', 'deep %', 'worst ms', 'worst MB', 'failed'];
  const rows = [...tallies].map(([name, tally]) => [
    name,
    tally.inputs,
    tally.ok,
    tally.refused,
    ((100 * tally.deep) / Math.max(1, tally.inputs)).toFixed(0),
    (1000 * tally.worstCpuSeconds).toFixed(0),
    (tally.worstGrowthBytes / 1e6).toFixed(0),
    tally.failures,
  ]);
  const sum = (/** @type {'inputs' | 'ok' | 'refused' | 'failures'} */ key) =>
    [...tallies.values()].reduce((total, tally) => total + tally[key], 0);
  const total = ['all', sum('inputs'), sum('ok'), sum('refused'), '', '', '', sum('failures')];
  return [head, ...rows, total]
    .map(
      ([name, ...numbers]) =>
        String(name).padEnd(18) + numbers.map((one) => String(one).padStart(9)).join(''),
    )
    .join('\n');
}
