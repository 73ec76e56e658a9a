import { join } from 'node:path';
import { Dense, NameScope, Sequential } from '@convbase/layers';
import { writeSafetensors } from '@convbase/models';
import { damagedSafetensors, inFolder, type FuzzTarget } from '../../../../base/src/testing/fuzz-target.ts';
import { BestWeights } from '../../checkpoint/best-weights.ts';

export function bestWeightsTarget(scratch: string): FuzzTarget {
  const folder = join(scratch, 'best');
  const names = new NameScope();
  const layers = [new Dense({ units: 2, name: 'd', names })];
  const model = new Sequential({ inputShape: [3], layers, name: 'm' });
  const record = { stage: 'head', monitor: 'val_loss', epoch: 3, value: 0.5 };
  const file = writeSafetensors(
    {
      'weights/d/kernel': { shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      'weights/d/bias': { shape: [2], data: Float32Array.of(7, 8) },
    },
    { best: JSON.stringify(record) },
  );
  return {
    name: 'best-weights',
    whole: [{ input: { 'best.safetensors': file }, gives: [3, 1, 2, 3, 4, 5, 6, 7, 8] }],
    damaged: damagedSafetensors(file).map((bytes) => ({ 'best.safetensors': bytes })),
    read: async (input) => {
      const path = join(inFolder(folder, input), 'best.safetensors');
      const found = await new BestWeights(path, model, 'head', 'val_loss').restore();
      const values = await Promise.all(model.weights.map((weight) => weight.read()));
      return found === undefined ? undefined : [found.epoch, ...values.flatMap((one) => [...one])];
    },
    runs: 1000,
  };
}
