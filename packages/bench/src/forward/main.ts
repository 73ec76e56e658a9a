import { median } from '../numbers.ts';
import { race } from './race.ts';
import type { ForwardCase } from './protocol.ts';

/**
 * `npm run bench [-- ROUNDS]`: times whole forward passes at 150x150. VGG16 against TensorFlow.js' webgpu backend on
 * the same adapter; InceptionV3 alone.
 */
const cases: { case: ForwardCase; contenders: string[] }[] = [
  { case: { model: 'vgg16', size: 150, batch: 4 }, contenders: ['convbase', 'tfjs'] },
  { case: { model: 'inception_v3', size: 150, batch: 8 }, contenders: ['convbase'] },
];
const rounds = Number(process.argv[2] ?? 5);

for (const { case: forwardCase, contenders } of cases) {
  const { model, size, batch } = forwardCase;
  console.log(
    `\n${model} forward, ${String(size)}x${String(size)}, batch ${String(batch)}, ${String(rounds)} rounds`,
  );
  const results = await race(contenders, forwardCase, rounds);
  const slowest = Math.max(...results.map(({ times }) => median(times)));
  for (const { name, adapter, times, difference } of results) {
    // A time is worth nothing where the result is wrong.
    const correct = difference < 1e-3;
    const perPicture = median(times) / batch;
    console.log(
      correct
        ? `  ${name.padEnd(9)} ${perPicture.toFixed(0).padStart(6)} ms a picture (${times.map((t) => (t / batch).toFixed(0)).join(' ')}), ${(slowest / median(times)).toFixed(2)}x the slowest`
        : `  ${name.padEnd(9)} wrong result: relative difference ${String(difference)}`,
    );
    console.log(`  ${''.padEnd(9)} on ${adapter}`);
  }
}
