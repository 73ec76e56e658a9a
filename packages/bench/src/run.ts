import { cpus, platform, totalmem } from 'node:os';
import { ConvbaseError } from '@convbase/base';
import { withTidying } from '@convbase/base/node';
import type { Case, CaseSet, Prepared } from './cases/case.ts';
import { allCases, choose } from './cases/cases.ts';
import type { Cost } from './cases/cost.ts';
import { Files } from './cases/files.ts';
import { contenderFile, contenders, missingPackage, type Entry } from './contenders/contenders.ts';
import { climbAll } from './ladder/climb-all.ts';
import { judge, tolerances } from './gate/gate.ts';
import { race, type RaceOptions, type Side } from './race/race.ts';
import { startRace } from './race/start-race.ts';
import { FORMAT, type Figure, type Results, type Row } from './results/schema.ts';
import { limitOf, rowsOf, withLimit } from './results/row.ts';
import { adapterFacts, better, withGpu, type AdapterFacts } from './roofline/roofline.ts';
import { version } from './version.ts';

export interface BenchOptions {
  /** `quick` takes minutes, `full` hours on a software adapter, `ratios` seconds. Default `quick`. */
  readonly set?: CaseSet;
  /** Only cases whose name holds one of these. */
  readonly only?: readonly string[];
  /** Only these contenders. */
  readonly contenders?: readonly string[];
  /** How often contenders take turns; by default as often as there is time, twice at least. */
  readonly rounds?: number;
  /**
   * Whether to climb the kernels' ladders at the end. By default where all cases of the quick or the full set are run with
   * all contenders.
   */
  readonly ladders?: boolean;
  /** Figures from elsewhere, shown beside the results. */
  readonly figures?: readonly Figure[];
  /** Told what is being done. */
  readonly onStatus?: (text: string) => void;
  /** Told of the rows of each case when it is done, and of all results so far, to keep should the run be stopped. */
  readonly onCase?: (rows: readonly Row[], sofar: Results) => Promise<void>;
  readonly onAdapter?: (adapter: AdapterFacts) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Rounds, time for the rounds of a case, and time for getting ready and for a run. */
const pace: Record<CaseSet, { rounds: number; budgetMs: number; limitMs: number }> = {
  quick: { rounds: 5, budgetMs: 25_000, limitMs: 120_000 },
  full: { rounds: 9, budgetMs: 180_000, limitMs: 1_800_000 },
  ratios: { rounds: 7, budgetMs: 6000, limitMs: 60_000 },
};

/**
 * Runs the benchmarks: measures what the adapter can do at the most, then case by case times the contenders that are
 * installed and checks what they compute.
 *
 * @throws ConvbaseError `bench/contender`, `bench/case` for names that there are not, `run/aborted`, those of the adapter
 */
export async function runBenchmarks(options: BenchOptions = {}): Promise<Results> {
  const { set = 'quick', onStatus = () => undefined, signal } = options;
  const { entries, missing } = takingPart(options.contenders, set);
  const cases = choose(await allCases(), set, options.only);
  if (cases.length === 0) {
    throw new ConvbaseError('bench/case', `no case of the set ${set} is called ${options.only?.join(', ')}`, {
      fix: 'See `convbase bench --list`.',
    });
  }
  onStatus('measuring the adapter');
  let adapter = await adapterFacts();
  options.onAdapter?.(adapter);
  const climbing =
    options.ladders ?? (set !== 'ratios' && options.only === undefined && options.contenders === undefined);
  let ladders: Results['ladders'];
  const files = await Files.make({ onnx: entries.some(({ needs }) => needs.includes('protobufjs')) });
  const done: Done[] = [];
  const sofar = (): Results => ({
    format: FORMAT,
    date: new Date().toISOString(),
    set,
    versions: { convbase: version, node: process.versions.node },
    machine: machineFacts(),
    adapter: { ...adapter, features: [...adapter.features] },
    toggles: toggles(),
    tolerances: { ...tolerances },
    missing,
    rows: done.flatMap((one) => limited(one, adapter)),
    figures: (options.figures ?? []).filter(({ case: id }) => cases.some((one) => one.id === id)),
    ...(ladders === undefined ? {} : { ladders }),
  });
  const race = async (): Promise<void> => {
    for (const [index, one] of cases.entries()) {
      const say = (text: string): void => {
        onStatus(`${index + 1}/${cases.length} ${one.title}: ${text}`);
      };
      say('preparing');
      const paced = { ...pace[set], ...(options.rounds === undefined ? {} : { rounds: options.rounds }) };
      const made = await runCase(one, entries, files, { ...paced, onEvent: say, signal });
      // Again and again: the more often, the less what else the machine does can hide of the adapter.
      adapter = { ...adapter, roofline: better(adapter.roofline, (await adapterFacts()).roofline) };
      done.push(made);
      await options.onCase?.(limited(made, adapter), sofar());
    }
    if (climbing) ladders = await withGpu((gpu) => climbAll(gpu, { onStatus, signal }));
  };
  await withTidying(race, () => files.remove());
  return sofar();
}

/** A case that was run. */
interface Done {
  readonly rows: readonly Row[];
  readonly cost: readonly Cost[];
}

function limited({ rows, cost }: Done, { roofline }: AdapterFacts): Row[] {
  return withLimit(rows, limitOf(cost, roofline));
}

/** The names and titles of the cases of a set. */
export async function listCases(set: CaseSet): Promise<{ id: string; title: string }[]> {
  return choose(await allCases(), set).map(({ id, title }) => ({ id, title }));
}

async function runCase(
  one: Case,
  entries: readonly Entry[],
  files: Files,
  options: RaceOptions,
): Promise<Done> {
  const prepared = await one.prepare(files);
  const taking = entries.filter(({ name }) => one.only?.includes(name) ?? true);
  const sides = sidesOf(prepared, taking);
  const racing = sides.map(({ side }) => side);
  const outcomes =
    one.start === undefined
      ? await race(racing, options)
      : await startRace(racing, one.start, await files.scratch(), options);
  const verdicts = judge(prepared.task, outcomes);
  const rows = rowsOf(
    one,
    sides.map(({ contender }, index) => ({
      contender,
      outcome: outcomes[index] ?? { label: contender, timings: [] },
      verdict: verdicts[index] ?? { correct: null },
    })),
  );
  return { rows, cost: prepared.cost };
}

interface Participant {
  readonly contender: string;
  readonly side: Side;
}

function sidesOf({ task, cost, versus = [] }: Prepared, entries: readonly Entry[]): Participant[] {
  const flops = cost.reduce((sum, piece) => sum + piece.flops, 0);
  const sides = entries
    .filter(({ mostFlops = Infinity }) => (flops > 0 ? flops <= mostFlops : mostFlops === Infinity))
    .map(({ name, title }): Participant => {
      return { contender: name, side: { label: title, file: contenderFile(name), task } };
    });
  const others = versus
    .filter(({ contender }) => entries.some(({ name }) => name === contender))
    .map(({ contender, label, task: other }): Participant => {
      // It is not the same task that it does, so it is not the contender that ratios are taken of.
      return { contender: label, side: { label, file: contenderFile(contender), task: other } };
    });
  return [...sides, ...others];
}

function takingPart(
  wanted: readonly string[] | undefined,
  set: CaseSet,
): {
  entries: Entry[];
  missing: Results['missing'];
} {
  const unknown = wanted?.find((name) => !contenders.some((entry) => entry.name === name));
  if (unknown !== undefined) {
    throw new ConvbaseError('bench/contender', `no contender is called ${unknown}`, {
      fix: `There is ${contenders.map(({ name }) => name).join(', ')}.`,
    });
  }
  const entries = contenders.filter(({ name }) => wanted?.includes(name) ?? true);
  const left = ({ fullSetOnly }: Entry): boolean =>
    set === 'quick' && fullSetOnly === true && wanted === undefined;
  const missing = entries.flatMap((entry) => {
    const { title, mostFlops } = entry;
    const needed = missingPackage(entry);
    if (left(entry)) return [{ contender: title, why: 'in the quick set, unless it is asked for by name' }];
    if (needed !== undefined) return [{ contender: title, why: `${needed} is not installed` }];
    if (mostFlops === undefined) return [];
    const limit = `${mostFlops / 1e6} MFLOP`;
    return [{ contender: title, why: `in cases of more than ${limit}, which would take it an age` }];
  });
  return { entries: entries.filter((entry) => missingPackage(entry) === undefined && !left(entry)), missing };
}

function machineFacts(): Results['machine'] {
  const processors = cpus();
  return {
    system: platform(),
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
}

/** What in the environment changes how convbase and its driver work; no values that could be anybody's secret. */
function toggles(): Record<string, string> {
  const names = /^(CONVBASE_(ADAPTER|DEBUG|BACKEND)|LP_\w+|MESA_\w+|GALLIUM_\w+)$/;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      names.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  );
}
