import { ConvbaseError, visibleLine } from '@convbase/base';
import { checkPlace } from '@convbase/base/node';
import type { CaseSet, ResultFiles } from '@convbase/bench';
import { ensureDriver } from '@convbase/driver';
import { Option, type Command } from 'commander';
import type { Invocation } from '../program.ts';
import { sayAdapter } from '../terminal/adapter-line.ts';
import { numberBetween, wholeNumber, withCommonOptions, type CommonOptions } from '../terminal/options.ts';
import { drawLine, eraseLine, printJson, printLine, sayLine } from '../terminal/print.ts';

interface BenchFlags extends CommonOptions {
  readonly set: CaseSet;
  readonly full?: true;
  readonly only?: string[];
  readonly contenders?: string[];
  readonly rounds?: number;
  readonly ladders?: boolean;
  readonly with?: string;
  readonly out: string;
  readonly list?: true;
}

interface CompareFlags extends CommonOptions {
  readonly tolerance: number;
}

interface ReportFlags extends CommonOptions {
  readonly with?: string;
  readonly out: string;
}

/** `convbase bench`: how fast convbase is on this machine, beside others that are installed. */
export function addBench(program: Command, invocation: Invocation): void {
  const bench = program
    .command('bench')
    .summary('time this machine, beside TensorFlow.js')
    .description(
      'Times convolutions, networks and training steps on this machine, beside those of TensorFlow.js and ONNX Runtime ' +
        'that are installed, and checks what each computes. Writes latest.json, index.html and results.md. ' +
        'A package of its own: npm install @convbase/bench.',
    )
    .addOption(
      new Option('--set <name>', 'which cases').choices(['quick', 'full', 'ratios']).default('quick'),
    )
    .option('--full', 'every case: the same as --set full')
    .option('--only <words...>', 'only cases whose names hold one of these')
    .option('--contenders <names...>', 'only these, such as convbase tfjs-webgpu')
    .option('--rounds <n>', 'how often contenders take turns', wholeNumber(1))
    .option('--ladders', 'also time every version of each kernel, from the naive one on')
    .option('--no-ladders', 'do not (by default only where --only and --contenders are left out)')
    .option('--with <file>', 'JSON file with figures measured elsewhere, to show beside')
    .option('--out <dir>', 'folder to write the results to', 'bench-results')
    .option('--list', 'list the cases and do nothing')
    .addHelpText('after', '\nExample:\n  convbase bench --only forward/vgg16 --out bench-results/');
  withCommonOptions(bench, { gpu: true }).action((flags: BenchFlags) => runBench(flags, invocation));

  const compare = bench
    .command('compare')
    .argument('<before>', 'results of an earlier run, latest.json')
    .argument('<after>', 'results of a later run')
    .summary('two runs: did it get slower?')
    .description(
      'Compares how many times as fast as TensorFlow.js convbase was in two runs. Exit code 1 if it lost.',
    )
    .option(
      '--tolerance <share>',
      'how much of a ratio may be lost before that counts',
      numberBetween(0, 1, true),
      0.3,
    )
    .addHelpText(
      'after',
      '\nExample:\n  convbase bench compare before/latest.json bench-results/latest.json',
    );
  withCommonOptions(compare, { gpu: false }).action(
    (before: string, after: string, _flags: unknown, command: Command) =>
      compareRuns(before, after, command.optsWithGlobals<CompareFlags>(), invocation),
  );

  const report = bench
    .command('report')
    .argument('<results>', 'results of a run, latest.json')
    .summary('write the page and the table anew')
    .description('Writes the page and the table of results anew, with figures from elsewhere if you like.')
    .option('--with <file>', 'JSON file with figures measured elsewhere, to show beside')
    .option('--out <dir>', 'folder to write to', 'bench-results')
    .addHelpText('after', '\nExample:\n  convbase bench report latest.json --with keras.json --out page/');
  withCommonOptions(report, { gpu: false }).action((path: string, _flags: unknown, command: Command) =>
    reportRun(path, command.optsWithGlobals<ReportFlags>()),
  );
}

async function runBench(flags: BenchFlags, { signal }: Invocation): Promise<void> {
  const { listCases, readFigures, runBenchmarks, textLegend, textOf, writeResults } = await benchPackage();
  const { full, only, contenders, rounds, ladders, out, json, adapter } = flags;
  const set = full === true ? 'full' : flags.set;
  if (flags.list === true) {
    const cases = await listCases(set);
    if (json) printJson(cases);
    else for (const { id, title } of cases) [id, `  ${title}`].forEach(printLine);
    return;
  }
  // Those who race are processes of their own, which inherit it.
  if (adapter !== undefined) process.env['CONVBASE_ADAPTER'] = adapter;
  const figures = flags.with === undefined ? [] : await readFigures(flags.with);
  await checkPlace(out);
  const { folder } = await ensureDriver();
  if (folder !== undefined) process.env['CONVBASE_DRIVER'] = folder;
  const status = createStatus();
  try {
    const results = await runBenchmarks({
      set,
      figures,
      signal,
      ...(only === undefined ? {} : { only }),
      ...(contenders === undefined ? {} : { contenders }),
      ...(rounds === undefined ? {} : { rounds }),
      ...(ladders === undefined ? {} : { ladders }),
      onStatus: status.show,
      onAdapter: ({ name, kind, roofline: { gigaflops, gigabytes } }) => {
        status.clear();
        sayAdapter({ name, kind });
        sayLine(
          `limits: ${gigaflops.toFixed(0)} GFLOP/s of multiply-adds, ${gigabytes.toPrecision(3)} GB/s copied`,
        );
        textLegend.forEach(sayLine);
      },
      onCase: async (rows, sofar) => {
        status.clear();
        textOf(rows).forEach(json ? sayLine : printLine);
        await writeResults(out, sofar);
      },
    });
    const files = await writeResults(out, results);
    status.clear();
    for (const { contender, why } of results.missing) sayLine(`${contender} did not take part: ${why}`);
    printFiles(json, files, json ? results : undefined);
  } finally {
    status.clear();
  }
}

async function compareRuns(
  before: string,
  after: string,
  { tolerance, json }: CompareFlags,
  invocation: Invocation,
): Promise<void> {
  const { comparisonText, compareResults, isRegression, readResults } = await benchPackage();
  const found = compareResults(await readResults(before), await readResults(after), tolerance);
  const worse = found.filter(isRegression);
  if (worse.length > 0) invocation.exitCode = 1;
  if (json) {
    printJson({ worse: worse.length, rows: found });
    return;
  }
  printLine('times as fast as tfjs webgpu in the same run: before, after, change');
  comparisonText(found).forEach(printLine);
  const summary = `${worse.length} of ${found.length} got worse or are gone`;
  printLine(worse.length === 0 ? 'nothing got worse' : summary);
}

async function reportRun(path: string, { json, out, with: figures }: ReportFlags): Promise<void> {
  const { readFigures, readResults, writeResults } = await benchPackage();
  const results = await readResults(path);
  const more = figures === undefined ? [] : await readFigures(figures);
  const known = new Set(results.rows.map((row) => row.case));
  const all = [...results.figures, ...more.filter((figure) => known.has(figure.case))];
  printFiles(json, await writeResults(out, { ...results, figures: all }));
}

/** Only who measures needs it, and what it brings with it. */
async function benchPackage(): Promise<typeof import('@convbase/bench')> {
  try {
    return await import('@convbase/bench');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (!isMissing || !error.message.includes("'@convbase/bench'")) throw error;
    throw new ConvbaseError(
      'bench/not-installed',
      'the benchmarks are a package of their own, which is not here',
      {
        where: '@convbase/bench',
        fix: 'npm install @convbase/bench, with -g if that is how convbase was installed.',
        cause: error,
      },
    );
  }
}

function printFiles(json: true | undefined, files: ResultFiles, results?: object): void {
  if (json) printJson({ ...files, ...(results === undefined ? {} : { results }) });
  else printLine(`results in ${files.json}, ${files.page}, ${files.markdown}`);
}

/** What is being done: the last line of a terminal; nothing in a pipe, where the rows are enough. */
function createStatus(): { show: (text: string) => void; clear: () => void } {
  const { stderr } = process;
  if (!stderr.isTTY) return { show: () => undefined, clear: () => undefined };
  return {
    show: (text) => {
      drawLine(stderr, visibleLine(text).slice(0, (stderr.columns || 80) - 1));
    },
    clear: () => {
      eraseLine(stderr);
    },
  };
}
