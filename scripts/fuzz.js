/**
 * `node scripts/fuzz.js [RUNS] [SEED] [FOLDER]`: damaged files for every reader, RUNS of them in all (a million), decided
 * by SEED. Runs on the sources; one process, at the lowest priority.
 *
 * Prints a line now and then and for each that ends badly, and a table at the end. FOLDER (in the system's folder for what is
 * temporary) then holds `failed/` and `interesting/`: the inputs that ended badly, and the first that was refused in each
 * way, as READER/SEED-NUMBER/files. One that failed goes into the package's `fixtures/fuzz`, where the tests read it
 * again.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { tableOf } from './fuzz/table.js';
import { root } from './steps/run.js';

/** @typedef {{ name: string, runs: number }} Target */
/** @typedef {import('./fuzz/table.js').Tally} Tally */

const attacker = join(root, 'packages/cli/src/testing/fuzz/attacker.ts');
/** An input that takes more seconds is one that has no end; only those count in which this process is awake, too. */
const PATIENCE = 60;
/** Inputs for one process, so that not much is lost with one that crashes, and what leaks does not add up. */
const PART = 5000;

const [runs = 1_000_000, seed = 1] = process.argv.slice(2, 4).map(Number);
const folder = process.argv[4] ?? mkdtempSync(join(tmpdir(), 'convbase-fuzz-'));
if (![runs, seed].every((number) => Number.isSafeInteger(number) && number >= 0)) {
  throw new Error('usage: node scripts/fuzz.js [RUNS] [SEED] [FOLDER]');
}
setPriority(constants.priority.PRIORITY_LOW);
mkdirSync(folder, { recursive: true });
const place = join(folder, 'place');
const begin = Date.now();

const targets = await listed();
const all = targets.reduce((sum, target) => sum + target.runs, 0);
/** @type {Map<string, Tally>} */
const tallies = new Map();
let done = 0;
say(`${runs} inputs for ${targets.length} readers, seed ${seed}, in ${folder}`);
const shares = targets.map((target) => ({ target, share: Math.round((runs * target.runs) / all) }));
// A part of each in turn, so that all of them are attacked from early on.
const longest = Math.max(...shares.map(({ share }) => share));
for (let first = 0; first < longest; first += PART) {
  for (const { target, share } of shares) {
    if (first < share) await attackPart(target, seed * 1000 + first / PART, Math.min(PART, share - first));
  }
  const failures = [...tallies.values()].reduce((sum, tally) => sum + tally.failures, 0);
  say(`${done} of ${runs} inputs, ${failures} failed`);
}
say(`\n${tableOf(tallies)}`);
process.exitCode = [...tallies.values()].some(({ failures }) => failures > 0) ? 1 : 0;

/** @param {string} text */
function say(text) {
  console.log(`${((Date.now() - begin) / 1000).toFixed(0).padStart(6)} s  ${text}`);
}

/** @returns {Promise<Target[]>} */
async function listed() {
  /** @type {Target[]} */
  let found = [];
  const code = await attackerSays([], (line) => (found = /** @type {Target[]} */ (line)));
  if (code !== 0) throw new Error('the undamaged inputs are not read');
  return found;
}

/**
 * One part of a target's inputs; behind one that ended the process it goes on.
 * @param {Target} target
 * @param {number} partSeed
 * @param {number} count
 */
async function attackPart({ name }, partSeed, count) {
  const tally = tallies.get(name) ?? {
    ...{ inputs: 0, ok: 0, refused: 0, deep: 0, worstCpuSeconds: 0, worstGrowthBytes: 0, failures: 0 },
  };
  tallies.set(name, tally);
  let counted = 0;
  for (let first = 0; first < count;) {
    let complete = false;
    writeFileSync(place, '');
    const code = await attackerSays(
      [name, partSeed, count, first].map(String),
      /** @param {any} line */ (line) => {
        if (line.failed !== undefined) say(`${name} ${partSeed}-${line.index} FAILED: ${line.failed}`);
        if (line.tally === undefined) return;
        complete = true;
        counted += line.tally.inputs;
        for (const key of /** @type {const} */ (['inputs', 'ok', 'refused', 'deep', 'failures']))
          tally[key] += line.tally[key];
        for (const key of /** @type {const} */ (['worstCpuSeconds', 'worstGrowthBytes']))
          tally[key] = Math.max(tally[key], line.tally[key]);
      },
    );
    if (complete) break;
    const at = Number(readFileSync(place, 'utf8').trim() || first);
    say(`${name} ${partSeed}-${at} FAILED: it ended the process (${code})`);
    tally.failures++;
    tally.inputs += at + 1 - first;
    counted += at + 1 - first;
    first = at + 1;
  }
  done += counted;
}

/**
 * Runs the attacker and hears every line. Resolves to how it ended.
 * @param {string[]} args
 * @param {(line: unknown) => void} hear
 * @returns {Promise<number | string | null>}
 */
function attackerSays(args, hear) {
  const hooks = new URL('./fuzz/typescript.js', import.meta.url).href;
  const flags = ['--import', hooks, '--conditions=convbase-source', '--enable-source-maps', attacker, folder];
  const child = spawn(process.execPath, [...flags, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{') || line.startsWith('[')) hear(JSON.parse(line));
  });
  let last = '';
  let seconds = 0;
  const watch = setInterval(() => {
    const now = args.length === 0 ? '' : readFileSync(place, 'utf8');
    seconds = now === last ? seconds + 1 : 0;
    last = now;
    if (seconds > PATIENCE) child.kill('SIGKILL');
  }, 1000);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearInterval(watch);
      resolve(code ?? signal);
    });
  });
}
