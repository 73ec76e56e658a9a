import type { FetchOptions } from '@convbase/models';
import type { Progress } from '../terminal/progress.ts';

/** Shows a download in kilobytes. */
export function downloadOptions(progress: Progress): FetchOptions {
  return {
    onProgress: ({ file, receivedBytes, totalBytes }) => {
      const kilobytes = (bytes: number): number => Math.round(bytes / 1000);
      progress.update(kilobytes(receivedBytes), kilobytes(totalBytes ?? receivedBytes), `kB ${file}`);
    },
  };
}
