/** What the parent asks a contender's process to do. */
export interface ForwardCase {
  readonly model: 'vgg16' | 'inception_v3';
  /** Height and width of the pictures. */
  readonly size: number;
  readonly batch: number;
}

/** Messages of a contender: it is warm, or it has run the batch once. */
export type Reply =
  | { readonly kind: 'ready'; readonly adapter: string; readonly features: number[] }
  | { readonly kind: 'ran'; readonly milliseconds: number }
  | { readonly kind: 'failed'; readonly message: string };

/** The same pictures for every contender: floats in [-1, 1), a fixed sequence. */
export function pictures({ size, batch }: ForwardCase): Float32Array {
  let state = 1;
  return Float32Array.from({ length: batch * size * size * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/**
 * Answers the parent: warms up twice, sends every 97th feature for comparison, then runs and times the batch
 * whenever asked. `run` resolves to the features once they have been read back, so the device queue is drained.
 */
export async function serve(adapter: string, run: () => Promise<Float32Array>): Promise<void> {
  const features = await run();
  await run();
  reply({ kind: 'ready', adapter, features: [...features.filter((_, i) => i % 97 === 0)] });
  process.on('message', () => {
    void (async () => {
      const start = performance.now();
      await run();
      reply({ kind: 'ran', milliseconds: performance.now() - start });
    })().catch((error: unknown) => {
      reply({ kind: 'failed', message: String(error) });
    });
  });
}

export function reply(message: Reply): void {
  process.send?.(message);
}
