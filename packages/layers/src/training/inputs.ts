import { inputsOf, type Batch } from '../tensor/host-array.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Network } from './network.ts';
import { inputType } from './precision.ts';
import { uploadInput } from './upload.ts';

/** A batch's inputs on the network's GPU; the caller owns them. */
export function uploadInputs(network: Network, batch: Pick<Batch, 'x'>): Tensor[] {
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
