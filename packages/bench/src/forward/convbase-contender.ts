import { openGpu } from '@convbase/core-gpu';
import { applications, hashWeights } from '@convbase/models';
import { pictures, reply, serve, type ForwardCase } from './protocol.ts';

/** convbase itself, with the same hash weights and pictures as its peers. */
async function main(forwardCase: ForwardCase): Promise<void> {
  const { size, batch } = forwardCase;
  const application = applications[forwardCase.model];
  const model = await application.create({ includeTop: false, inputShape: [size, size, 3], weights: null });
  for (const weight of model.weights) {
    const [, name] = weight.path.split('/');
    // Batch normalisation keeps its initial statistics.
    if (name === 'kernel' || name === 'bias') weight.assign(hashWeights(weight.path, weight.shape));
  }
  const gpu = await openGpu();
  model.to(gpu);
  const x = { data: pictures(forwardCase), shape: [batch, size, size, 3] };
  await serve(gpu.adapter.name, async () => (await model.predict(x)).data as Float32Array);
}

main(JSON.parse(process.argv[2] ?? '{}') as ForwardCase).catch((error: unknown) => {
  reply({ kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exitCode = 1;
});
