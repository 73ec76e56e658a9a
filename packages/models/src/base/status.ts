import type { FetchOptions, ModelSourceOptions } from '../weights/index.ts';

/** For what takes long: fetching weights or packages. */
export interface StatusOptions {
  /** Told in words what is going on. */
  readonly onStatus?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** The same for finding a model. */
export function sourceOptions({ onStatus, signal }: StatusOptions): ModelSourceOptions {
  return { ...(onStatus ? { onProgress: onStatus } : {}), ...(signal ? { signal } : {}) };
}

/** The same for finding weights: a message for every tenth of a download. */
export function downloadOptions({ onStatus, signal }: StatusOptions): FetchOptions {
  if (!onStatus) return signal ? { signal } : {};
  let told = -1;
  return {
    ...(signal ? { signal } : {}),
    onWait: ({ file, holder }) => onStatus(`waiting for ${holder}, which is downloading ${file}`),
    onProgress: ({ file, receivedBytes, totalBytes }) => {
      const tenth = totalBytes
        ? Math.floor((10 * receivedBytes) / totalBytes)
        : Math.floor(receivedBytes / 2 ** 24);
      if (tenth === told) return;
      told = tenth;
      const total = totalBytes ? ` of ${(totalBytes / 1e6).toFixed(0)}` : '';
      onStatus(`downloading ${file}: ${(receivedBytes / 1e6).toFixed(0)}${total} MB`);
    },
  };
}
