import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileError, systemError } from './file-error.ts';
import { listFolder } from './file-operations.ts';

function fromSystem(code: string, errno: number, more: object = {}): Error {
  return Object.assign(new Error(`${code}: said`), { code, errno, ...more });
}

test('whatever the system says becomes an error that names the file', () => {
  for (const [code, errno] of Object.entries(constants.errno)) {
    const told = fileError(fromSystem(code, -errno), '/some/file', 'cannot read it');
    expect(told.name).toBe('ConvbaseError');
    expect(told.message).toMatch(/^\/some\/file: cannot read it: ./);
    expect(told).toMatchObject({ code: expect.stringMatching(/^(file|disk|memory)\//) as string });
  }
});

test('what nobody has told is named as the system names it; a fault of a program stays one', () => {
  const denied = fromSystem('EACCES', -13, { path: '/some/file', syscall: 'open' });
  expect(systemError(denied).message).toMatch(/^\/some\/file: the system refuses it: permission denied/);
  const tooMany = fromSystem('EMFILE', -24, { syscall: 'pipe' });
  expect(systemError(tooMany).message).toMatch(
    /^pipe: the system refuses it: this process has too many files/,
  );
  const fault = new TypeError('x is not a function');
  expect(systemError(fault)).toBe(fault);
});

test.skipIf(process.platform === 'win32')('a folder that is gone is told as such', () => {
  const script = `
    const { mkdtempSync, rmdirSync } = require('node:fs');
    const folder = mkdtempSync(require('node:os').tmpdir() + '/convbase-gone-');
    process.chdir(folder);
    rmdirSync(folder);
    try { require('node:path').resolve('x'); } catch (error) {
      console.log(JSON.stringify({ code: error.code, errno: error.errno, syscall: error.syscall }));
    }`;
  const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  const gone = Object.assign(new Error('gone'), JSON.parse(stdout) as object);
  expect(fileError(gone, 'x', 'cannot look at it').message).toMatch(
    /^the folder that this program was started in is gone\n {2}Change into/,
  );
});

test.runIf(process.platform === 'linux')('says of a name that is not UTF-8 why it is not found', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'convbase-name-'));
  await mkdir(Buffer.concat([Buffer.from(`${folder}/cats`), Buffer.from([0xff])]));
  const [name = ''] = await readdir(folder);
  await expect(listFolder(join(folder, name))).rejects.toMatchObject({
    code: 'file/missing',
    message: expect.stringContaining('its name is not UTF-8') as string,
  });
  await rm(folder, { recursive: true });
});
