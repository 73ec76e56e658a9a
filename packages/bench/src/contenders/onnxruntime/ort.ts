import type { InferenceSession, TensorConstructor } from 'onnxruntime-node';
import type { Runner } from '../../protocol.ts';

/** One of the packages of ONNX Runtime, on one of its execution providers. */
export interface Ort {
  readonly Tensor: TensorConstructor;
  readonly runner: Runner;
  /**
   * Opens a model, given by its bytes.
   *
   * @param dimensions sizes of the model's free dimensions, so that everything can be planned for them
   */
  open(model: Uint8Array, dimensions: Readonly<Record<string, number>>): Promise<InferenceSession>;
}
