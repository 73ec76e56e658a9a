import { relativeDistance } from '../numbers.ts';
import type { Sample, Task } from '../protocol.ts';
import { expectedConvolution } from './reference.ts';

/** How far a result may be from the right one, as |difference| / |right| over the sampled values. */
export const tolerances: Readonly<Record<string, number>> = {
  /** One convolution in float32 against float64. */
  result: 1e-4,
  /** The features of a network, after dozens of layers. */
  features: 1e-3,
  loss: 1e-3,
  /** A difference of weights: few digits are left of their float32. */
  update: 2e-2,
};

/** What the gate says of a side's result. */
export interface Verdict {
  /** Null where there is nothing to compare with. */
  readonly correct: boolean | null;
  /** Relative L2 difference of the output that is furthest out; NaN where one cannot be compared. */
  readonly difference?: number;
  /** What it was compared with: `float64`, or the title of another side. */
  readonly reference?: string;
}

type Outputs = Readonly<Record<string, Sample>>;

interface Judged {
  readonly label: string;
  readonly outputs?: Outputs | undefined;
}

/**
 * Says which results are right. A convolution's are compared with float64 by the definition. Networks are too long for
 * that: there a result counts as right where another side's, computed by other code, is the same. Of two that differ
 * nobody can say which is right, so both fail.
 */
export function judge(task: Task, sides: readonly Judged[]): Verdict[] {
  if (task.kind === 'convolution') {
    const { places, values } = expectedConvolution(task);
    return sides.map(({ outputs }): Verdict => {
      const result = outputs?.['result'];
      if (result === undefined) return { correct: null };
      const difference = relativeDistance(
        Array.from(places, (place) => result.values[place] ?? NaN),
        values,
      );
      return { correct: difference <= limit('result'), difference, reference: 'float64' };
    });
  }
  return sides.map((side) => {
    const { outputs } = side;
    const others = sides.filter((other) => other !== side && other.outputs !== undefined);
    if (outputs === undefined || others.length === 0) return { correct: null };
    const compared = others.map((other) => compare(outputs, other.outputs ?? {}, other.label));
    return compared.reduce((best, next) => (rank(next) < rank(best) ? next : best));
  });
}

function rank({ difference }: Verdict): number {
  return difference === undefined || Number.isNaN(difference) ? Infinity : difference;
}

/** Compares the outputs that both have. */
function compare(outputs: Outputs, others: Outputs, reference: string): Verdict {
  const names = Object.keys(outputs).filter((name) => name in others);
  if (names.length === 0) return { correct: null };
  const differences = names.map((name) => ({
    name,
    difference: distance(outputs[name], others[name]),
  }));
  const correct = differences.every(({ name, difference }) => difference <= limit(name));
  const worst = differences.reduce((a, b) =>
    b.difference / limit(b.name) > a.difference / limit(a.name) || Number.isNaN(b.difference) ? b : a,
  );
  return { correct, difference: worst.difference, reference };
}

function distance(a: Sample | undefined, b: Sample | undefined): number {
  return a?.length === b?.length ? relativeDistance(a?.values ?? [], b?.values ?? []) : NaN;
}

function limit(name: string): number {
  return tolerances[name] ?? 0;
}
