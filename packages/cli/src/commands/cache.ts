import { visibleLine } from '@convbase/base';
import {
  cacheFolder,
  cacheKinds,
  clearCache,
  listCache,
  type CacheEntry,
  type CacheKind,
} from '@convbase/base/node';
import { InvalidArgumentError, type Command } from 'commander';
import type { Invocation } from '../program.ts';
import { withCommonOptions, type CommonOptions } from '../terminal/options.ts';
import { printJson, printLine, sayError, sayLine } from '../terminal/print.ts';
import { ageInWords, bytesInWords } from '../terminal/quantities.ts';

interface ClearFlags extends CommonOptions {
  readonly kind?: readonly CacheKind[];
  readonly olderThan?: number;
  readonly dryRun?: true;
}

/** `convbase cache`: what is kept for the next time, and how to be rid of it. */
export function addCache(program: Command, invocation: Invocation): void {
  const cache = program.command('cache').summary('list or clear what is kept for the next time');
  const list = cache
    .command('list', { isDefault: true })
    .description('Lists what is in the cache, by kind, with sizes and how long ago it was used.')
    .addHelpText('after', '\nExample:\n  convbase cache list');
  withCommonOptions(list, { gpu: false }).action((flags: CommonOptions) => showCache(flags, invocation));

  const clear = cache
    .command('clear')
    .description(
      'Empties the cache, by kind and age. What a running process is at work on stays, and so does what ' +
        'convbase did not put there, unless the kind "unknown" is named.',
    )
    .option('--kind <kinds>', `only these, with commas between them: ${cacheKinds.join(', ')}`, kindList)
    .option('--older-than <age>', 'only what was not used for so long: 12h, 30d, 8w', age)
    .option('--dry-run', 'only say what would be removed')
    .addHelpText('after', '\nExample:\n  convbase cache clear --kind prefix,npm --older-than 30d --dry-run');
  withCommonOptions(clear, { gpu: false }).action((flags: ClearFlags) => emptyCache(flags, invocation));
}

/** So many entries of a kind are shown to people. */
const MAX_ROWS = 20;

const titles: Readonly<Record<CacheKind, string>> = {
  weights: 'weights',
  npm: 'npm packages',
  driver: 'driver',
  prefix: 'outputs of frozen layers',
  tuned: 'tuned tables',
  temporary: 'temporary files',
  unknown: "not convbase's",
};

async function showCache(flags: CommonOptions, invocation: Invocation): Promise<void> {
  const folder = cacheFolder();
  const entries = await listCache(folder);
  if (entries.some(({ problem }) => problem !== undefined)) invocation.exitCode = 1;
  if (flags.json) {
    printJson({ folder, bytes: total(entries), entries: entries.map(forPrograms) });
    return;
  }
  if (entries.length === 0) {
    printLine(`The cache is empty: ${folder}`);
    return;
  }
  printLine(folder);
  for (const kind of cacheKinds) {
    const those = entries.filter((entry) => entry.kind === kind);
    if (those.length === 0) continue;
    printLine('');
    printLine(row(`${titles[kind]} (--kind ${kind})`, total(those), ''));
    const largest = those.sort((a, b) => b.bytes - a.bytes).slice(0, MAX_ROWS);
    for (const entry of largest) sayEntry(entry);
    if (those.length > MAX_ROWS) printLine(`  and ${those.length - MAX_ROWS} more, which --json lists`);
  }
  printLine('');
  printLine(row(`${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}`, total(entries), ''));
}

function sayEntry(entry: CacheEntry): void {
  const { name, bytes, lastUsed, problem } = entry;
  printLine(
    row(`  ${name.slice(name.indexOf('/') + 1)}`, bytes, ageInWords(Date.now() - lastUsed.getTime())),
  );
  const notes = notesOf(entry);
  if (notes !== '') printLine(`    ${notes}`);
  if (problem !== undefined) printLine(`    ${problem}`);
}

function notesOf({ isLink, isUnfinished, usedBy }: CacheEntry): string {
  const notes = [isLink && 'a link', isUnfinished && 'unfinished', usedBy && `in use by ${usedBy}`];
  return notes.filter((note) => typeof note === 'string').join(', ');
}

const NAME_WIDTH = 54;

/** A line of a table of 80 columns. */
function row(text: string, bytes: number, when: string): string {
  const name = visibleLine(text);
  const half = (NAME_WIDTH - 2) / 2;
  const short = name.length > NAME_WIDTH ? `${name.slice(0, half)}..${name.slice(-half)}` : name;
  return `${short.padEnd(NAME_WIDTH)} ${bytesInWords(bytes).padStart(11)}  ${when}`.trimEnd();
}

async function emptyCache({ kind, ...flags }: ClearFlags, invocation: Invocation): Promise<void> {
  const { olderThan, dryRun = false, json } = flags;
  const { removed, inUse, failed } = await clearCache({
    ...(kind && { kinds: kind }),
    ...(olderThan !== undefined && { olderThan }),
    dryRun,
    signal: invocation.signal,
  });
  if (failed.length > 0) invocation.exitCode = 1;
  if (json) {
    printJson({
      folder: cacheFolder(),
      dryRun,
      bytes: total(removed),
      removed: removed.map(forPrograms),
      inUse: inUse.map(forPrograms),
      failed: failed.map(({ entry, error }) => ({
        ...forPrograms(entry),
        error: { code: error.code, message: error.message },
      })),
    });
    return;
  }
  if (dryRun) removed.forEach(sayEntry);
  const verb = dryRun ? 'would remove' : 'removed';
  printLine(
    `${verb} ${removed.length} ${removed.length === 1 ? 'entry' : 'entries'}, ${bytesInWords(total(removed))}`,
  );
  for (const { name, usedBy = 'another process' } of inUse) sayLine(`left ${name}: in use by ${usedBy}`);
  for (const { error } of failed) sayError(error);
}

function forPrograms({ kind, name, path, bytes, lastUsed, ...more }: CacheEntry): object {
  const { isUnfinished, isLink, usedBy, problem } = more;
  return {
    ...{ kind, name, path, bytes, lastUsed: lastUsed.toISOString() },
    ...{ unfinished: isUnfinished, link: isLink, usedBy: usedBy ?? null, problem: problem ?? null },
  };
}

function total(entries: readonly CacheEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}

function kindList(text: string): CacheKind[] {
  return text.split(',').map((part) => {
    const kind = cacheKinds.find((known) => known === part.trim());
    if (kind === undefined) throw new InvalidArgumentError(`Known kinds are ${cacheKinds.join(', ')}.`);
    return kind;
  });
}

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** Milliseconds of `30d`. */
function age(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  const length = units[unit];
  if (length === undefined) throw new InvalidArgumentError('Give an age such as 12h, 30d or 8w.');
  return Number(count) * length;
}
