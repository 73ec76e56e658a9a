import { ConvbaseError } from '@convbase/base';
import type { Callback } from '@convbase/layers';

export interface TensorBoardOptions {
  /** Histograms of all weights every so many epochs; 0, when left out, none. */
  readonly histogramFrequency?: number;
}

/**
 * Event files for TensorBoard, in the layout and under the tags of Keras' callback: `<folder>/train` and
 * `<folder>/validation` with `epoch_loss`, `epoch_accuracy` .., `epoch_learning_rate` and `<weight>/histogram`.
 */
export function tensorBoard(folder: string, _options: TensorBoardOptions = {}): Callback {
  return {
    name: 'tensorBoard',
    onTrainBegin() {
      throw new ConvbaseError('log/unsupported', 'event files cannot be written yet', { where: folder });
    },
  };
}
