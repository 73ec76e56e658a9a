import { extname, join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import {
  listFolder,
  makeFolder,
  readBounded,
  remove,
  removeAtOnce,
  removeFile,
  rename,
  syncFolder,
  temporaryFolder,
  tidyFolder,
  withLock,
  withTidying,
  writeFileAtomic,
} from '@convbase/base/node';
import {
  aptConfiguration,
  chooseMirror,
  chooseSuites,
  parseListFile,
  parseSimulation,
  parseSourcesFile,
  sourcesFile,
  upstreamVersion,
  type AptPackage,
  type AptSource,
} from './apt.ts';
import { driverAdvice } from './advice.ts';
import { cachedDriver, libraryFolders, manifestName } from './cache.ts';
import { run } from './run.ts';
import type { LinuxSystem } from './system.ts';

/** Lists of mirrors and manifests of drivers are a few lines. */
const MAX_BYTES = 2 ** 20;

export type DriverProgress = (message: string) => void;

/**
 * Fetches Mesa's software Vulkan driver and the libraries it needs as the distribution packages them, and unpacks
 * them into `<drivers>/<codename>-<architecture>-<mesa version>`. Nothing outside `drivers` is written: apt works on
 * lists, caches and a package state of its own, so it needs no root and does not mind what is installed.
 *
 * Only for systems with apt-get and dpkg-deb. The folder appears at once and complete. Of several processes that want it
 * one fetches it, and the others wait and take what it got.
 *
 * @throws ConvbaseError `driver/unavailable` where the system has no apt or no archive with the driver,
 *   `driver/fetch` where fetching fails, `disk/full`, `file/..`; the signal's reason, when the tools have ended.
 */
export async function installDriver(
  drivers: string,
  system: LinuxSystem,
  onProgress: DriverProgress,
  signal?: AbortSignal,
): Promise<string> {
  const lock = {
    heartbeat: true,
    onWait: (holder: string) => {
      onProgress(`waiting for ${holder}, which is fetching the driver`);
    },
    ...(signal && { signal }),
  };
  return withLock(join(drivers, 'install.lock'), drivers, lock, async () => {
    await tidyFolder(drivers);
    return (await cachedDriver(drivers, system)) ?? (await fetchDriver(drivers, system, onProgress, signal));
  });
}

async function fetchDriver(
  drivers: string,
  system: LinuxSystem,
  onProgress: DriverProgress,
  signal: AbortSignal | undefined,
): Promise<string> {
  const work = await temporaryFolder(join(drivers, 'driver'));
  const fetch = async (): Promise<string> => {
    const apt = await prepareApt(work, system, signal);
    onProgress('reading the package lists');
    await apt.run(['-q', 'update']);
    const wanted = ['mesa-vulkan-drivers', 'libvulkan1'];
    const from = ['-t', apt.suites[0] ?? ''];
    const plan = parseSimulation(
      await apt.run(['--simulate', '--no-install-recommends', ...from, 'install', ...wanted]),
    );
    const mesa = plan.find(({ name }) => name === 'mesa-vulkan-drivers');
    if (mesa === undefined) throw unavailable(system, `${apt.suites.join(', ')} has no mesa-vulkan-drivers`);
    await download(apt, plan, onProgress);
    onProgress('unpacking the driver');
    const root = join(work, 'driver');
    await unpack(apt.downloads, root, signal);
    await writeManifest(root);
    const version = upstreamVersion(mesa.version);
    const target = join(drivers, `${system.codename}-${apt.architecture}-${version}`);
    // A folder that is there is none that a driver was found in.
    await removeAtOnce(target);
    await rename(root, target);
    await syncFolder(drivers);
    return target;
  };
  return withTidying(fetch, () => remove(work));
}

interface Apt {
  readonly architecture: string;
  readonly suites: readonly string[];
  readonly downloads: string;
  /** Runs apt-get and returns what it printed. */
  readonly run: (args: readonly string[], onLine?: (line: string) => void) => Promise<string>;
}

async function prepareApt(work: string, system: LinuxSystem, signal: AbortSignal | undefined): Promise<Apt> {
  const architecture = (await run('dpkg', ['--print-architecture'], { signal })).trim();
  const systemDump = await run('apt-config', ['dump'], { signal });
  const sources = await readSources();
  const mirror = chooseMirror(sources, system.codename);
  if (mirror === undefined) throw unavailable(system, "apt's sources name no archive of this distribution");
  const suites = chooseSuites(system, mirror, sources);
  const downloads = join(work, 'downloads');
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'downloads', 'driver']) {
    await makeFolder(join(work, folder));
  }
  await writeFileAtomic(join(work, 'status'), '');
  await writeFileAtomic(join(work, 'convbase.sources'), sourcesFile(mirror, suites));
  await writeFileAtomic(join(work, 'apt.conf'), aptConfiguration(work, architecture, systemDump));
  const env = { ...process.env, APT_CONFIG: join(work, 'apt.conf'), LC_ALL: 'C' };
  return {
    architecture,
    suites,
    downloads,
    run: (args, onLine) => run('apt-get', args, { env, cwd: downloads, signal, ...(onLine && { onLine }) }),
  };
}

/** What /etc/apt names, disabled files left out. */
async function readSources(): Promise<AptSource[]> {
  const parts = '/etc/apt/sources.list.d';
  const names = await listFolder(parts).catch(nobodysSource([]));
  const paths = ['/etc/apt/sources.list', ...names.map((name) => join(parts, name))];
  const parsers: Record<string, (text: string) => AptSource[]> = {
    '.list': parseListFile,
    '.sources': parseSourcesFile,
  };
  const sources: AptSource[] = [];
  for (const path of paths) {
    const text = await readBounded(path, MAX_BYTES).catch(nobodysSource(''));
    sources.push(...(parsers[extname(path)]?.(text.toString()) ?? []));
  }
  return sources;
}

async function download(apt: Apt, plan: readonly AptPackage[], onProgress: DriverProgress): Promise<void> {
  let fetched = 0;
  await apt.run(['-q', 'download', ...plan.map(({ name, version }) => `${name}=${version}`)], (line) => {
    const item = /^Get:\d+ \S+ \S+ \S+ (\S+) \S+ \S+ \[(.+)\]$/.exec(line);
    if (item)
      onProgress(
        `fetching ${item[1] ?? ''} (${String(++fetched)} of ${String(plan.length)}, ${item[2] ?? ''})`,
      );
  });
}

async function unpack(downloads: string, root: string, signal: AbortSignal | undefined): Promise<void> {
  const archives = (await listFolder(downloads)).filter((name) => name.endsWith('.deb'));
  for (const name of archives) await run('dpkg-deb', ['--extract', join(downloads, name), root], { signal });
}

/**
 * Writes the manifest by which the Vulkan loader finds the driver: Mesa's own one with the library's path relative to
 * the manifest, so that the folder may be moved. Then drops documentation and the drivers of GPUs.
 */
async function writeManifest(root: string): Promise<void> {
  const [folder, library] = await findLibrary(root, 'libvulkan_lvp.so');
  const manifests = join(root, 'usr/share/vulkan/icd.d');
  const original = (await listFolder(manifests)).find((name) => name.startsWith('lvp_icd'));
  const text =
    original === undefined ? '{}' : (await readBounded(join(manifests, original), MAX_BYTES)).toString();
  const version = /"api_version"\s*:\s*"([\d.]+)"/.exec(text)?.[1] ?? '1.3.0';
  const icd = { file_format_version: '1.0.0', ICD: { library_path: `./${library}`, api_version: version } };
  await writeFileAtomic(join(root, manifestName), `${JSON.stringify(icd, null, 2)}\n`);
  for (const name of await listFolder(folder)) {
    if (/^libvulkan_(?!lvp)|^libVkLayer/.test(name)) await removeFile(join(folder, name));
  }
  await remove(join(root, 'usr/share'));
  await remove(join(root, 'etc'));
}

async function findLibrary(root: string, name: string): Promise<[folder: string, pathInRoot: string]> {
  for (const folder of await libraryFolders(root)) {
    if ((await listFolder(folder)).includes(name)) return [folder, join(folder, name).slice(root.length + 1)];
  }
  throw new ConvbaseError('driver/fetch', `the packages hold no ${name}`, { where: 'mesa-vulkan-drivers' });
}

function unavailable(system: LinuxSystem, what: string): ConvbaseError {
  return new ConvbaseError('driver/unavailable', what, {
    where: 'software driver',
    fix: driverAdvice(process.platform, system, process.arch),
  });
}

/** For `.catch`: what to take where there is no file, or none that may be read, which for apt's sources is the same. */
function nobodysSource<T>(instead: T): (error: unknown) => T {
  return (error) => {
    const codes = ['file/missing', 'file/denied', 'file/kind'];
    if (error instanceof ConvbaseError && codes.includes(error.code)) return instead;
    throw error;
  };
}
