import { describe, expect, it } from 'vitest';
import {
  aptConfiguration,
  chooseMirror,
  chooseSuites,
  parseListFile,
  parseSimulation,
  parseSourcesFile,
  sourcesFile,
  upstreamVersion,
} from './apt.ts';

const bookworm = { family: 'debian', codename: 'bookworm', version: '12' };

const debianSources = `
# written by the image
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

describe('sources.list', () => {
  it('reads the one-line format with options and comments', () => {
    const sources = parseListFile(
      [
        '# deb http://off.example/debian bookworm main',
        'deb http://mirror.example/debian bookworm main contrib # ours',
        'deb-src http://mirror.example/debian bookworm main',
        'deb [arch=amd64,arm64 signed-by=/keys/a.gpg] https://mirror.example/debian/ bookworm-updates main',
      ].join('\n'),
    );
    expect(sources).toEqual([
      {
        uri: 'http://mirror.example/debian',
        suite: 'bookworm',
        components: ['main', 'contrib'],
        fields: new Map(),
      },
      {
        uri: 'https://mirror.example/debian/',
        suite: 'bookworm-updates',
        components: ['main'],
        fields: new Map([
          ['Architectures', 'amd64 arm64'],
          ['Signed-By', '/keys/a.gpg'],
        ]),
      },
    ]);
  });

  it('reads deb822 stanzas, one source for each suite', () => {
    const sources = parseSourcesFile(debianSources);
    expect(sources.map(({ uri, suite }) => `${uri} ${suite}`)).toEqual([
      'http://mirror.example/debian bookworm',
      'http://mirror.example/debian bookworm-updates',
      'http://mirror.example/debian-security bookworm-security',
    ]);
    expect(sources[0]?.fields).toEqual(
      new Map([['Signed-By', '/usr/share/keyrings/debian-archive-keyring.gpg']]),
    );
  });

  it('leaves out disabled stanzas and source packages', () => {
    const stanza = 'URIs: http://a.example\nSuites: bookworm\nComponents: main\n';
    expect(parseSourcesFile(`Enabled: no\nTypes: deb\n${stanza}\nTypes: deb-src\n${stanza}`)).toEqual([]);
  });

  it('keeps a key that stands inside the file', () => {
    const key = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----';
    const text = `Types: deb\nURIs: http://a.example/debian\nSuites: bookworm\nComponents: main\nSigned-By: ${key}\n`;
    const [source] = parseSourcesFile(text);
    expect(source?.fields.get('Signed-By')).toBe(key);
    expect(source && parseSourcesFile(sourcesFile(source, ['bookworm']))).toEqual([source]);
  });
});

describe('choosing where the driver comes from', () => {
  it('takes the distribution, not a third party with the same suite name', () => {
    const sources = [
      ...parseListFile('deb https://tool.example/stable/debian bookworm main'),
      ...parseSourcesFile(debianSources),
    ];
    expect(chooseMirror(sources, 'bookworm')?.uri).toBe('http://mirror.example/debian');
  });

  it('finds nothing where only third parties are named', () => {
    expect(
      chooseMirror(parseListFile('deb https://db.example/apt bookworm-pgdg main'), 'bookworm'),
    ).toBeUndefined();
    expect(chooseMirror(parseListFile('deb cdrom:[Debian]/ bookworm main'), 'bookworm')).toBeUndefined();
  });

  it('adds the backports on Debian 12 and puts them first', () => {
    const sources = parseSourcesFile(debianSources);
    const mirror = chooseMirror(sources, 'bookworm');
    expect(mirror && chooseSuites(bookworm, mirror, sources)).toEqual([
      'bookworm-backports',
      'bookworm',
      'bookworm-updates',
    ]);
  });

  it('keeps to the plain suites from Debian 13 on, and on Ubuntu', () => {
    const trixie = parseListFile('deb http://m.example/debian trixie main');
    const noble = parseListFile(
      'deb http://m.example/ubuntu noble main universe\ndeb http://m.example/ubuntu noble-updates main',
    );
    expect(
      trixie[0] && chooseSuites({ ...bookworm, codename: 'trixie', version: '13' }, trixie[0], trixie),
    ).toEqual(['trixie']);
    expect(
      noble[0] && chooseSuites({ family: 'ubuntu', codename: 'noble', version: '24.04' }, noble[0], noble),
    ).toEqual(['noble', 'noble-updates']);
  });
});

describe('aptConfiguration', () => {
  it('keeps how archives are reached and nothing else of the system', () => {
    const dump = [
      'Acquire::http::Proxy "http://proxy.example:3128";',
      'Acquire::Check-Valid-Until "false";',
      'Acquire::Languages:: "de";',
      'APT::Update::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb";',
      'Dir::State "var/lib/apt";',
    ].join('\n');
    const text = aptConfiguration('/cache/a b', 'arm64', dump);
    expect(text).toContain('Acquire::http::Proxy "http://proxy.example:3128";');
    expect(text).toContain('Acquire::Check-Valid-Until "false";');
    expect(text).toContain('Dir::State "/cache/a b/state";');
    expect(text).toContain('APT::Architecture "arm64";');
    expect(text).not.toContain('Post-Invoke');
    expect(text).not.toContain('"de"');
    expect(text).not.toContain('"var/lib/apt"');
  });
});

describe('parseSimulation', () => {
  const output = `
Inst gcc-12-base (12.2.0-14+deb12u1 Debian:12.15/oldstable [amd64])
Inst libc6 (2.36-9+deb12u14 Debian:12.15/oldstable [amd64])
Inst libstdc++6 (12.2.0-14+deb12u1 Debian:12.15/oldstable [amd64])
Inst libx11-data (2:1.8.4-2+deb12u2 Debian:12.15/oldstable [all])
Inst zlib1g (1:1.2.13.dfsg-1 Debian:12.15/oldstable [amd64])
Inst libllvm15 (1:15.0.6-4+b1 Debian:12.15/oldstable [amd64]) []
Inst mesa-vulkan-drivers (25.0.7-2~bpo12+1 Debian Backports:oldstable-backports [amd64])
Conf libllvm15 (1:15.0.6-4+b1 Debian:12.15/oldstable [amd64])
`;

  it('names the libraries in order, without the run-time that Node itself uses', () => {
    expect(parseSimulation(output)).toEqual([
      { name: 'zlib1g', version: '1:1.2.13.dfsg-1' },
      { name: 'libllvm15', version: '1:15.0.6-4+b1' },
      { name: 'mesa-vulkan-drivers', version: '25.0.7-2~bpo12+1' },
    ]);
  });

  it('finds the upstream version', () => {
    expect(upstreamVersion('25.0.7-2~bpo12+1')).toBe('25.0.7');
    expect(upstreamVersion('1:15.0.6-4+b1')).toBe('15.0.6');
    expect(upstreamVersion('25.2.8-0ubuntu0.24.04.1')).toBe('25.2.8');
  });
});
