import { inputsOf, type Batch } from '../tensor/host-array.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkBatch } from './check-batch.ts';
import type { Network } from './network.ts';
import { inputType } from './precision.ts';
import { uploadInput } from './upload.ts';

/**
 * A batch's inputs on the network's GPU; the caller owns them. Every batch comes in here, and is checked as a whole.
 *
 * @param place which batch it is, where that is known
 */
export function uploadInputs(
  network: Network,
  batch: Pick<Batch, 'x' | 'y' | 'sampleWeight'>,
  place?: string,
): Tensor[] {
  checkBatch(batch, place === undefined ? network.name : `${network.name}, ${place}`);
  const uploaded: Tensor[] = [];
  try {
    const dtype = inputType(network);
    for (const x of inputsOf(batch)) {
      uploaded.push(uploadInput(network.gpu, x, `input of ${network.name}`, dtype));
    }
    return uploaded;
  } catch (error) {
    for (const value of uploaded) value.dispose();
    throw error;
  }
}
