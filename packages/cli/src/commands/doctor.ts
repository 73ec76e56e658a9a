import { cpus, totalmem } from 'node:os';
import type { Gpu } from '@convbase/core-gpu';
import { ensureDriver, type DriverState } from '@convbase/driver';
import { verifyFolder } from '@convbase/models';
import type { Command } from 'commander';
import type { Invocation } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import { untilStopped } from '../terminal/interrupt.ts';
import { withCommonOptions, type CommonOptions } from '../terminal/options.ts';
import { printResult, sayLine } from '../terminal/print.ts';
import { version } from '../version.ts';

interface DoctorOptions extends CommonOptions {
  readonly installDriver?: true;
}

/** `convbase doctor`: what convbase would run on, and what to do where that is nothing. */
export function addDoctor(program: Command, invocation: Invocation): void {
  const command = program
    .command('doctor')
    .summary('show the adapter, its limits and a self-check')
    .description(
      'Shows which adapter convbase runs on, with its driver, limits and features, and checks that it computes right.',
    )
    .option(
      '--install-driver',
      "fetch the software driver into convbase's cache where there is no adapter (Linux)",
    )
    .addHelpText('after', '\nExample:\n  convbase doctor --install-driver');
  withCommonOptions(command, { gpu: true }).action((options: DoctorOptions) => doctor(options, invocation));
}

async function doctor(options: DoctorOptions, invocation: Invocation): Promise<void> {
  const { installDriver = false } = options;
  const { signal } = invocation;
  const finding = ensureDriver({ install: installDriver, onProgress: sayLine, signal });
  // Fetching ends by itself when it is stopped, with its tools; asking for an adapter does not.
  const driver = await (installDriver ? finding : untilStopped(finding, signal));
  await usingGpu({ ...options, quiet: true }, invocation.signal, async (gpu) => {
    const checkup = await examine(gpu, driver, invocation.signal);
    if (checkup.selfCheck.failed.length > 0) invocation.exitCode = 1;
    printResult(options.json, checkup, ...inWords(checkup));
  });
}

/** Everything that the doctor finds out, as `--json` prints it. */
type Checkup = Awaited<ReturnType<typeof examine>>;

async function examine(gpu: Gpu, driver: DriverState, signal: AbortSignal) {
  const { cases, failed } = await verifyFolder(undefined, {
    gpu,
    signal,
    // Operations and optimizers alone take a second or two.
    only: (name) => !name.includes('mini_'),
  });
  const { platform, arch, version: node } = process;
  return {
    system: { platform, arch, node, convbase: version, cores: cpus().length, memoryBytes: totalmem() },
    driver,
    adapter: gpu.adapter,
    limits: {
      bindingMiB: gpu.target.maxBindingBytes / 2 ** 20,
      bufferMiB: gpu.limits.maxBufferSize / 2 ** 20,
      workgroupKiB: gpu.target.maxWorkgroupBytes / 1024,
      invocations: gpu.target.maxInvocations,
    },
    features: [...gpu.features].sort(),
    subgroupSize: gpu.target.subgroupSize,
    tunedProblems: Object.keys(gpu.target.tuned ?? {}).length,
    selfCheck: { cases, failed },
  };
}

function inWords({ system, driver, adapter, limits, features, subgroupSize, ...more }: Checkup): string[] {
  const from = {
    system: "the system's",
    cache: `convbase's cache, ${driver.folder ?? ''}`,
    installed: `fetched into ${driver.folder ?? ''}`,
  };
  const { tunedProblems, selfCheck } = more;
  const { cases, failed } = selfCheck;
  const gpuName = [adapter.vendor, adapter.architecture].filter(Boolean).join(' ');
  const rows: [string, string][] = [
    ['convbase', `${system.convbase} on Node ${system.node}, ${system.platform} ${system.arch}`],
    ['processor', `${system.cores} cores, ${(system.memoryBytes / 2 ** 30).toFixed(0)} GiB`],
    ['adapter', adapter.name],
    ['kind', adapter.kind === 'software' ? 'software: it runs on the CPU' : `GPU (${gpuName})`],
    ['driver', from[driver.source]],
    ['limits', `binding ${limits.bindingMiB.toFixed(0)} MiB, buffer ${limits.bufferMiB.toFixed(0)} MiB`],
    ['', `workgroup ${limits.workgroupKiB} KiB, ${limits.invocations} threads`],
    ['features', features.join(', ')],
    ['subgroups', subgroupSize > 0 ? `of ${subgroupSize} threads` : 'not used'],
    ['tuned', tunedProblems > 0 ? `${tunedProblems} shapes, see convbase tune` : 'nothing; by rules alone'],
    [
      'self-check',
      failed.length === 0
        ? `${cases} of ${cases} cases right`
        : `WRONG in ${failed.length} of ${cases} cases`,
    ],
  ];
  const lines = rows.map(([label, value]) => `${label.padEnd(11)} ${value}`);
  return [...lines, ...failed.map((name) => `${''.padEnd(11)} ${name}`), '', ...advice(adapter.kind, failed)];
}

function advice(kind: string, failed: readonly string[]): string[] {
  if (failed.length > 0) {
    return [
      'This adapter computes wrong results. Update its driver, or pick another with',
      '--adapter or CONVBASE_ADAPTER.',
    ];
  }
  return kind === 'software'
    ? ['Everything works, slowly: no GPU is in use. Where the machine has one, install', 'its Vulkan driver.']
    : ['Everything works.'];
}
