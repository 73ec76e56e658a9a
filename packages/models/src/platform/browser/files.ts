import { ConvbaseError } from '@convbase/base';

function noFiles(what: string): ConvbaseError {
  return new ConvbaseError('platform/no-files', `${what} needs a file system, which a page does not have`, {
    fix: 'Run it in Node, or hand over bytes.',
  });
}

export function listFiles(folder: string, _ending: string): Promise<string[]> {
  return Promise.reject(noFiles(`listing ${folder}`));
}

export function saveFile(
  path: string,
  _data: Uint8Array | string | AsyncIterable<Uint8Array>,
  _options?: { readonly overwrite?: boolean },
): Promise<void> {
  return Promise.reject(noFiles(`writing ${path}`));
}

export function refuseExisting(path: string): Promise<void> {
  return Promise.reject(noFiles(`writing ${path}`));
}

export function checkSaveLock(path: string): Promise<void> {
  return Promise.reject(noFiles(`writing ${path}`));
}

export function withSaveLock(path: string, _save: () => Promise<void>): Promise<void> {
  return Promise.reject(noFiles(`writing ${path}`));
}

export function otherTexts(path: string, _ending: string): Promise<string[]> {
  return Promise.reject(noFiles(`reading beside ${path}`));
}

export function removeBeside(path: string, _wanted: (name: string) => boolean): Promise<void> {
  return Promise.reject(noFiles(`removing files beside ${path}`));
}

export function shippedGolden(): string {
  throw noFiles('finding the shipped files of expected values');
}
