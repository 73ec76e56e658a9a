import { availableParallelism } from 'node:os';
import { sampleOf } from './sample.ts';
import { Unsupported, type Contender, type Order, type Prepared, type Reply, type Task } from './protocol.ts';

/** A first run that took longer says enough: a second one to warm up would only cost time. */
const SHORT_MS = 5000;

/**
 * The side of a contender's process: prepares the task of the first argument, warms up by running it twice (once where
 * it takes long, or is about the first time), answers `ready` with what it computed, and runs it whenever asked.
 */
export async function serve(contender: Contender): Promise<void> {
  try {
    const task = JSON.parse(process.argv[2] ?? 'null') as Task;
    const prepared = await contender.prepare(task, { threads: availableParallelism() });
    const start = performance.now();
    await prepared.run();
    const short = performance.now() - start < SHORT_MS;
    const outputs = Object.fromEntries(
      Object.entries(await prepared.outputs()).map(([name, values]) => [name, sampleOf(values)]),
    );
    if (task.kind !== 'first-result' && short) await prepared.run();
    obey(prepared);
    reply({ kind: 'ready', runner: prepared.runner, outputs, cpuMilliseconds: cpuSince() });
  } catch (error) {
    fail(error);
  }
}

/** Does what the parent asks for, one thing after the other. */
function obey(prepared: Prepared): void {
  process.on('message', (order: Order) => {
    if (order === 'end') {
      const peakResidentBytes = process.resourceUsage().maxRSS * 1024;
      const peakGpuBytes = prepared.peakGpuBytes?.();
      reply({ kind: 'ended', peakResidentBytes, ...(peakGpuBytes === undefined ? {} : { peakGpuBytes }) });
      return;
    }
    run(prepared).then(reply, fail);
  });
}

async function run(prepared: Prepared): Promise<Reply> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await prepared.run();
  const milliseconds = performance.now() - start;
  return { kind: 'ran', milliseconds, cpuMilliseconds: cpuSince(cpu) };
}

/** Milliseconds of processor time, user and system, of all threads. */
function cpuSince(before?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message || error.name : String(error);
  reply({ kind: 'failed', unsupported: error instanceof Unsupported, message });
}

function reply(message: Reply): void {
  process.send?.(message);
}
