import { ConvbaseError } from '@convbase/base';

function unavailable(what: string): ConvbaseError {
  return new ConvbaseError('platform/unsupported', `${what} is not possible in a browser`, {
    fix: "Give the model's URL or bytes instead.",
  });
}

/** A browser has no folders of its own; nothing is found there. */
export function weightFolders(): { readonly cache: string; readonly keras: string } {
  throw unavailable('looking for downloaded weights');
}

export function weightsMirror(): string | undefined {
  return undefined;
}

export function tidyWeights(_path: string): Promise<void> {
  return Promise.reject(unavailable('tidying up'));
}

export function isFile(_path: string): Promise<boolean> {
  return Promise.reject(unavailable('looking for files'));
}

export function md5(_path: string, _signal?: AbortSignal): Promise<string> {
  return Promise.reject(unavailable('reading files'));
}

export function downloadFile(_url: string, _path: string, _options?: object): Promise<void> {
  return Promise.reject(unavailable('downloading to disk'));
}

export function npmPackage(_spec: string, _options?: object): Promise<string> {
  return Promise.reject(unavailable('fetching npm packages'));
}
