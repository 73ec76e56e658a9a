import { parentPort } from 'node:worker_threads';
import { resize, type ResizeMode } from './resize.ts';
import type { Picture, PictureSize } from '../picture/picture.ts';

/** What a thread of `ResizePool` is asked. */
export interface ResizeRequest {
  readonly id: number;
  readonly picture: Picture;
  readonly size: PictureSize;
  readonly mode: ResizeMode;
}

/** What it answers: the picture, or why there is none. */
export type ResizeAnswer =
  { readonly id: number; readonly picture: Picture } | { readonly id: number; readonly error: string };

parentPort?.on('message', ({ id, picture, size, mode }: ResizeRequest) => {
  try {
    const resized = resize(picture, size, mode);
    const answer: ResizeAnswer = { id, picture: resized };
    parentPort?.postMessage(answer, [resized.data.buffer as ArrayBuffer]);
  } catch (error) {
    const answer: ResizeAnswer = { id, error: error instanceof Error ? error.message : String(error) };
    parentPort?.postMessage(answer);
  }
});
