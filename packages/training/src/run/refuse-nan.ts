import { ConvbaseError } from '@convbase/base';
import type { Callback, Precision } from '@convbase/layers';
import { given } from './given.ts';

/**
 * Ends a training whose loss is no number any more, before that is kept anywhere, with `train/diverged`. `fix` says how
 * to take smaller steps, without a full stop.
 */
export function refuseNaN(
  precision: Precision,
  { where, fix }: { readonly where?: string; readonly fix: string },
): Callback {
  const or = precision === 'mixed' ? ', or train in float32: float16 ends at 65,504' : '';
  return {
    onEpochEnd(epoch, logs) {
      if (Object.values(logs).every(Number.isFinite)) return;
      throw new ConvbaseError('train/diverged', `the loss grew out of all bounds in epoch ${epoch + 1}`, {
        ...given({ where }),
        fix: `${fix}${or}.`,
      });
    },
  };
}

/** That of a stage of a recipe. */
export function refuseNaNInStage(stage: string, precision: Precision): Callback {
  return refuseNaN(precision, {
    where: `stage ${stage}`,
    fix: 'Give its optimizer a smaller learningRate',
  });
}
