import { describeChoice } from '@convbase/core-gpu';
import { describeProblem } from './problems-of.ts';
import type { TunedModelProblem } from './tune-model.ts';

/** What tuning found, as text of 80 columns. */
export function tuneText(problems: readonly TunedModelProblem[]): string {
  const head = `${'problem'.padEnd(50)}${'rules ms'.padStart(11)}${'best ms'.padStart(11)}${'gain'.padStart(8)}`;
  const changed = problems.filter(isFaster);
  const [before, after] = [
    problems.reduce((sum, { ruleMilliseconds, layers }) => sum + layers.length * ruleMilliseconds, 0),
    problems.reduce((sum, { bestMilliseconds, layers }) => sum + layers.length * bestMilliseconds, 0),
  ];
  return [
    head,
    ...problems.flatMap(problemLines),
    '',
    ...(changed.length === 0
      ? ['nothing is faster by 5 % than what the rules choose: they stay in force']
      : [
          `${changed.length} of ${problems.length} problems ${changed.length === 1 ? 'is' : 'are'} faster another way; their kernels together take`,
          `${after.toFixed(1)} ms instead of ${before.toFixed(1)} ms`,
        ]),
  ].join('\n');
}

function problemLines(tuned: TunedModelProblem): string[] {
  const { problem, ruleMilliseconds, bestMilliseconds, rule, best } = tuned;
  const text = describeProblem(problem);
  const name = text.length < 50 ? text : `${text.slice(0, 48)}…`;
  const gain = isFaster(tuned) ? `${(ruleMilliseconds / bestMilliseconds).toFixed(2)}x` : '-';
  const line = `${name.padEnd(50)}${ruleMilliseconds.toFixed(3).padStart(11)}${bestMilliseconds.toFixed(3).padStart(11)}${gain.padStart(8)}`;
  if (!isFaster(tuned)) return [line];
  return [line, `  ${describeChoice(best)}`, `  instead of ${describeChoice(rule)}`];
}

function isFaster({ ruleMilliseconds, bestMilliseconds }: TunedModelProblem): boolean {
  return bestMilliseconds < ruleMilliseconds;
}
