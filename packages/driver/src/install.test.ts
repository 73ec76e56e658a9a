import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchFileOperations } from '@convbase/base/node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { installDriver } from './install.ts';
import { readSystem } from './system.ts';

/** Shell scripts stand for apt and dpkg: what is tested is who runs them, and what is left when somebody stops. */

let folder: string;
const drivers = (): string => join(folder, 'drivers');
const log = (): string => readFileSync(join(folder, 'log'), 'utf8');

function tool(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convbase-install-'));
  vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`);
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch;
  tool('dpkg', `echo ${architecture}`);
  tool('apt-config', 'exit 0');
  tool(
    'apt-get',
    `echo "$2" >> ${folder}/log
     case "$*" in
       *--simulate*) echo 'Inst mesa-vulkan-drivers (25.0.7-2 Debian)';;
       *download*) touch mesa.deb;;
     esac`,
  );
  tool(
    'dpkg-deb',
    `mkdir -p "$3/usr/lib" "$3/usr/share/vulkan/icd.d"
     touch "$3/usr/lib/libvulkan_lvp.so"
     echo '{"ICD": {"api_version": "1.4.305"}}' > "$3/usr/share/vulkan/icd.d/lvp_icd.json"`,
  );
});
afterEach(() => {
  watchFileOperations(undefined);
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const install = (signal?: AbortSignal, onProgress: (line: string) => void = () => undefined) =>
  installDriver(drivers(), readSystem(), onProgress, signal);

describe.runIf(existsSync('/etc/apt'))('fetching the driver', () => {
  it('is done by one of several, for which the others wait', async () => {
    const lines: string[] = [];
    const all = [1, 2, 3].map(() => install(undefined, (line) => lines.push(line)));
    const [path = '', ...others] = await Promise.all(all);
    expect(others).toEqual([path, path]);
    expect(JSON.parse(readFileSync(join(path, 'driver.json'), 'utf8'))).toMatchObject({
      ICD: { library_path: './usr/lib/libvulkan_lvp.so', api_version: '1.4.305' },
    });
    expect(log().match(/update/g)).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('waiting for process'))).toHaveLength(2);
    expect(readdirSync(drivers())).toEqual([path.slice(drivers().length + 1)]);
  });

  it('ends apt when it is stopped, and leaves nothing', async () => {
    tool('apt-get', `echo $$ > ${folder}/pid; echo started; exec sleep 60`);
    const controller = new AbortController();
    const reason = new Error('Ctrl-C');
    const running = install(controller.signal);
    await expect.poll(() => existsSync(join(folder, 'pid'))).toBe(true);
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow();
    expect(readdirSync(drivers())).toEqual([]);
  });

  it('killed at any operation, the next one ends right', async () => {
    let operations = 1;
    for (; ; operations++) {
      let count = 0;
      watchFileOperations(() => {
        count += 1;
        if (count >= operations) throw new Error('killed');
      });
      const error: unknown = await install().catch((reason: unknown) => reason);
      watchFileOperations(undefined);
      if (typeof error === 'string') break;
      expect(error).toMatchObject({ message: 'killed' });
      const path = await install();
      expect(existsSync(join(path, 'driver.json'))).toBe(true);
      // The temporary names of this very process, which lives, are left to it.
      const rest = readdirSync(drivers()).filter((name) => !name.endsWith('.partial'));
      expect(rest, `killed at operation ${operations}`).toEqual([path.slice(drivers().length + 1)]);
      rmSync(drivers(), { recursive: true });
    }
    expect(operations).toBeGreaterThan(20);
  }, 60_000);

  it('says which tool is missing', async () => {
    vi.stubEnv('PATH', join(folder, 'none'));
    await expect(install()).rejects.toMatchObject({ code: 'driver/unavailable' });
    expect(readdirSync(drivers())).toEqual([]);
  });
});
