import { describe, expect, it } from 'vitest';
import { driverAdvice } from './advice.ts';
import { parseOsRelease } from './system.ts';

describe('parseOsRelease', () => {
  it.each([
    ['ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n', 'debian', 'bookworm', '12'],
    ['ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\nUBUNTU_CODENAME=noble\n', 'ubuntu', 'noble', '24.04'],
    [
      'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\nVERSION_CODENAME=wilma\nUBUNTU_CODENAME=noble\n',
      'ubuntu',
      'noble',
      '22',
    ],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n', 'rhel', '', '9.4'],
    ['ID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"\n', 'suse', '', '15.6'],
    ['ID=nixos\n', '', '', ''],
  ])('reads %j', (text, family, codename, version) => {
    expect(parseOsRelease(text)).toEqual({ family, codename, version });
  });
});

describe('driverAdvice', () => {
  const on = (family: string): string => driverAdvice('linux', { family, codename: '', version: '' }, 'x64');

  it('names the packages of each distribution', () => {
    expect(on('debian')).toContain('apt-get install mesa-vulkan-drivers');
    expect(on('fedora')).toContain('dnf install mesa-vulkan-drivers');
    expect(on('arch')).toContain('pacman -S vulkan-swrast');
    expect(on('suse')).toContain('zypper install');
    expect(on('alpine')).toContain('glibc');
    expect(on('')).toContain('Vulkan driver');
  });

  it('speaks of what other systems have', () => {
    const none = { family: '', codename: '', version: '' };
    expect(driverAdvice('darwin', none, 'arm64')).toContain('Metal');
    expect(driverAdvice('win32', none, 'x64')).toContain('graphics driver');
    expect(driverAdvice('linux', none, 'riscv64')).toContain('64-bit');
  });
});
