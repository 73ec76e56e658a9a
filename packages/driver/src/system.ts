import { readFileSync } from 'node:fs';
import { fileError, systemCode } from '@convbase/base/node';

/** What the driver's choice depends on. */
export interface LinuxSystem {
  /** `debian`, `ubuntu`, `fedora` ..; the first known one of ID and ID_LIKE. */
  readonly family: string;
  /** `bookworm`, `noble`; empty where the distribution has none. */
  readonly codename: string;
  /** `12`, `24.04`; empty for rolling releases. */
  readonly version: string;
}

const families = ['debian', 'ubuntu', 'fedora', 'rhel', 'arch', 'alpine', 'suse'];

/** Reads the text of /etc/os-release. A derivative of Ubuntu counts as the Ubuntu it is built on. */
export function parseOsRelease(text: string): LinuxSystem {
  const values = new Map<string, string>();
  for (const [, key, value] of text.matchAll(/^([A-Z_]+)=(.*)$/gm)) {
    if (key !== undefined && value !== undefined)
      values.set(key, value.trim().replace(/^(["'])(.*)\1$/, '$2'));
  }
  const names = `${values.get('ID') ?? ''} ${values.get('ID_LIKE') ?? ''}`.toLowerCase().split(/\s+/);
  const family = names
    .map((name) => families.find((known) => name.startsWith(known)))
    .find((name) => name !== undefined);
  return {
    family: family ?? '',
    codename:
      values.get('UBUNTU_CODENAME') ?? values.get('DEBIAN_CODENAME') ?? values.get('VERSION_CODENAME') ?? '',
    version: values.get('VERSION_ID') ?? '',
  };
}

/** The distribution this runs on. */
export function readSystem(): LinuxSystem {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      return parseOsRelease(readFileSync(path, 'utf8'));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw fileError(error, path, 'cannot read it');
    }
  }
  return { family: '', codename: '', version: '' };
}
