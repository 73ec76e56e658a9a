/**
 * What apt's files and outputs say; pure functions of text.
 *
 * Formats: sources.list(5) (one-line and deb822), `apt-config dump`, `apt-get --simulate install`.
 */
import type { LinuxSystem } from './system.ts';

/** One archive: where it is and how it is checked. */
export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** Other deb822 fields as they stand (`Signed-By`, `Trusted`, `Architectures` ..). */
  readonly fields: ReadonlyMap<string, string>;
}

/** Fields whose deb822 name is not simply the option's name capitalised. */
const optionFields: Record<string, string> = { arch: 'Architectures', lang: 'Languages', target: 'Targets' };

/** Reads a one-line `.list` file: `deb [signed-by=KEY] URI SUITE COMPONENT...`. */
export function parseListFile(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)([^#]*)/.exec(line);
    if (!match) return [];
    const [, options = '', uri = '', suite = '', rest = ''] = match;
    const fields = new Map<string, string>();
    for (const [, key = '', value = ''] of options.matchAll(/([\w-]+)[+-]?=(\S+)/g)) {
      fields.set(optionFields[key] ?? capitalised(key), value.replaceAll(',', ' '));
    }
    return [{ uri, suite, components: words(rest), fields }];
  });
}

/** Reads a deb822 `.sources` file; one AptSource for each pair of URI and suite. */
export function parseSourcesFile(text: string): AptSource[] {
  return text
    .split(/\n(?:[ \t]*\n)+/)
    .map(parseStanza)
    .filter(
      (fields) =>
        words(fields.get('Types') ?? '').includes('deb') &&
        !/^(no|false|0)$/i.test(fields.get('Enabled') ?? ''),
    )
    .flatMap((fields) => {
      const others = new Map(fields);
      for (const key of ['Types', 'Uris', 'Suites', 'Components', 'Enabled']) others.delete(key);
      const components = words(fields.get('Components') ?? '');
      return words(fields.get('Uris') ?? '').flatMap((uri) =>
        words(fields.get('Suites') ?? '').map((suite) => ({ uri, suite, components, fields: others })),
      );
    });
}

/** The fields of one stanza, names capitalised (`URIs` and `uris` become `Uris`), continuation lines kept. */
function parseStanza(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue;
    const field = /^([\w-]+):\s*(.*)$/.exec(line);
    if (field?.[1] !== undefined) {
      current = capitalised(field[1]);
      fields.set(current, field[2] ?? '');
    } else if (current !== undefined && /^\s/.test(line)) {
      fields.set(current, `${fields.get(current) ?? ''}\n${line}`);
    }
  }
  return fields;
}

/** The distribution's own archive among all sources: not a third party's that uses the same suite name. */
export function chooseMirror(sources: readonly AptSource[], codename: string): AptSource | undefined {
  const suites = new Set([codename, 'stable', 'oldstable', 'testing', 'unstable', 'sid']);
  const score = (source: AptSource): number =>
    (sources.some((other) => other.uri === source.uri && other.suite === `${source.suite}-updates`) ? 2 : 0) +
    (/(debian|ubuntu|raspbian)-(archive|ports)?-?keyring/.test(source.fields.get('Signed-By') ?? '')
      ? 2
      : 0) +
    (/\/(debian|ubuntu|ubuntu-ports|raspbian)\/?$|^mirror/.test(source.uri) ? 1 : 0);
  return sources
    .filter(
      (source) =>
        suites.has(source.suite) && source.components.includes('main') && !source.uri.startsWith('cdrom:'),
    )
    .sort((a, b) => score(b) - score(a))[0];
}

/** The suites to read, the first being the one that the driver itself must come from. */
export function chooseSuites(
  system: LinuxSystem,
  mirror: AptSource,
  sources: readonly AptSource[],
): string[] {
  const here = sources.filter((source) => source.uri === mirror.uri).map((source) => source.suite);
  const plain = [
    mirror.suite,
    ...here.filter((suite) => suite === `${mirror.suite}-updates` || suite === `${mirror.suite}-security`),
  ];
  // Debian 12 has Mesa 22, which Dawn refuses; its backports have 25. Later releases start with 25.
  const old = system.family === 'debian' && Number.parseInt(system.version, 10) <= 12;
  return [...new Set(old ? [`${system.codename}-backports`, ...plain] : plain)];
}

/** A deb822 file with just these suites of the mirror. */
export function sourcesFile(mirror: AptSource, suites: readonly string[]): string {
  const components = mirror.components.filter((name) => name === 'main' || name === 'universe');
  const others = [...mirror.fields].map(([name, value]) => `${name}: ${value}`);
  const lines = [
    'Types: deb',
    `URIs: ${mirror.uri}`,
    `Suites: ${suites.join(' ')}`,
    `Components: ${components.join(' ')}`,
  ];
  return [...lines, ...others, ''].join('\n');
}

/**
 * An apt configuration that reads and writes only below `folder`, and keeps of the system's own one (the output of
 * `apt-config dump`) how archives are reached: proxies, certificates, validity checks.
 */
export function aptConfiguration(folder: string, architecture: string, systemDump: string): string {
  const kept = systemDump
    .split('\n')
    .filter((line) => /^Acquire::(https?|ftp|Check-|Retries|ForceIPv|Proxy|Allow|By-Hash|Max-)/i.test(line));
  return [
    ...kept,
    'Acquire::Languages "none";',
    'Dir::Etc::main "/dev/null";',
    'Dir::Etc::parts "/dev/null";',
    `Dir::Etc::sourcelist "${folder}/convbase.sources";`,
    'Dir::Etc::sourceparts "/dev/null";',
    'Dir::Etc::preferences "/dev/null";',
    'Dir::Etc::preferencesparts "/dev/null";',
    `Dir::State "${folder}/state";`,
    `Dir::State::status "${folder}/status";`,
    `Dir::Cache "${folder}/cache";`,
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    'APT::Sandbox::User "root";',
    '',
  ].join('\n');
}

/** A package in one version. */
export interface AptPackage {
  readonly name: string;
  readonly version: string;
}

/** What is part of every system, and must be the very copy that Node itself runs on. */
const basePackages = /^(libc6|libc-bin|libcrypt1|libgcc-s1|libstdc\+\+6|gcc-\d+-base)$/;

/**
 * The libraries in the output of `apt-get --simulate install`, dependencies first: every library but the C and C++
 * run-time, and no package of mere data.
 */
export function parseSimulation(output: string): AptPackage[] {
  return [...output.matchAll(/^Inst (\S+) \((\S+) /gm)]
    .map(([, name = '', version = '']) => ({ name, version }))
    .filter(
      ({ name }) =>
        /^(lib|zlib|mesa-)/.test(name) && !/-(common|data)$/.test(name) && !basePackages.test(name),
    );
}

/** `25.0.7` of `25.0.7-2~bpo12+1`: what the makers call it, without epoch and packaging. */
export function upstreamVersion(version: string): string {
  return version.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function capitalised(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
