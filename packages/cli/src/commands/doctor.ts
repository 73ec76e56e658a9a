import { cpus, totalmem } from 'node:os';
import { openGpu } from '@convbase/core-gpu';
import { ensureDriver } from '@convbase/core-gpu/node';
import { verifyFolder } from '@convbase/models';
import type { Command } from 'commander';
import { withCommonOptions, type CommonOptions } from '../terminal/options.ts';
import { version } from '../version.ts';
import type { ExitState } from '../program.ts';

interface DoctorOptions extends CommonOptions {
  readonly installDriver?: true;
}

/** `convbase doctor`: what convbase would run on, and what to do where that is nothing. */
export function addDoctor(program: Command, state: ExitState): void {
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
  withCommonOptions(command, { gpu: true }).action((options: DoctorOptions) => doctor(options, state));
}

async function doctor(options: DoctorOptions, state: ExitState): Promise<void> {
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const driver = await ensureDriver({ install: options.installDriver ?? false, onProgress: say });
  const gpu = await openGpu(options.adapter === undefined ? {} : { adapter: options.adapter });
  try {
    const failed: string[] = [];
    const report = await verifyFolder(undefined, {
      gpu,
      only: (name) => !name.includes('mini_'),
      onCase: (result) => {
        if (!result.pass) failed.push(result.name);
      },
    });
    const { name, kind, vendor, architecture } = gpu.adapter;
    const limits = {
      bindingMiB: gpu.target.maxBindingBytes / 2 ** 20,
      bufferMiB: gpu.limits.maxBufferSize / 2 ** 20,
      workgroupKiB: gpu.target.maxWorkgroupBytes / 1024,
      invocations: gpu.target.maxInvocations,
    };
    const features = [...gpu.features].sort();
    const selfCheck = { cases: report.cases, failed };
    if (failed.length > 0) state.exitCode = 1;
    if (options.json) {
      const system = {
        platform: process.platform,
        arch: process.arch,
        node: process.version,
        convbase: version,
      };
      console.log(
        JSON.stringify({
          system,
          driver,
          adapter: gpu.adapter,
          limits,
          features,
          subgroupSize: gpu.target.subgroupSize,
          selfCheck,
        }),
      );
      return;
    }
    const from = {
      system: "the system's",
      cache: `convbase's cache, ${driver.folder ?? ''}`,
      installed: `fetched into ${driver.folder ?? ''}`,
    };
    const rows: [string, string][] = [
      ['convbase', `${version} on Node ${process.version}, ${process.platform} ${process.arch}`],
      ['processor', `${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
      ['adapter', name],
      [
        'kind',
        kind === 'software'
          ? 'software: it runs on the CPU'
          : `GPU (${[vendor, architecture].filter(Boolean).join(' ')})`,
      ],
      ['driver', from[driver.source]],
      [
        'limits',
        `binding ${limits.bindingMiB.toFixed(0)} MiB, buffer ${limits.bufferMiB.toFixed(0)} MiB, workgroup ${limits.workgroupKiB} KiB, ${limits.invocations} threads`,
      ],
      [
        'features',
        [...features, ...(gpu.target.subgroupSize ? [`subgroups of ${gpu.target.subgroupSize}`] : [])].join(
          ', ',
        ),
      ],
      [
        'self-check',
        failed.length === 0
          ? `${report.cases} of ${report.cases} cases right`
          : `WRONG: ${failed.join(', ')}`,
      ],
    ];
    for (const [label, value] of rows) console.log(`${label.padEnd(11)} ${value}`);
    if (failed.length > 0) {
      console.log(
        '\nThis adapter computes wrong results. Update its driver, or pick another with --adapter or CONVBASE_ADAPTER.',
      );
    } else if (kind === 'software') {
      console.log(
        '\nEverything works, slowly: no GPU is in use. Where the machine has one, install its Vulkan driver.',
      );
    } else console.log('\nEverything works.');
  } finally {
    gpu.destroy();
  }
}
