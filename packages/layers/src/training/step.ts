import { ConvbaseError } from '@convbase/base';
import { planWeighRows } from '@convbase/core-gpu';
import { Tape } from '../autograd/tape.ts';
import { activate } from '../layers/activate.ts';
import { CallContext } from '../layers/context.ts';
import type { Loss } from '../losses/index.ts';
import { fill, multiply } from '../ops/elementwise.ts';
import type { Batch, HostArray } from '../tensor/host-array.ts';
import { tensor, type Tensor } from '../tensor/tensor.ts';
import { uploadInputs } from './inputs.ts';
import type { Network } from './network.ts';
import { addPenalties, addPenaltyGradient } from './penalties.ts';
import { logitsOf, outputsOf } from './precision.ts';
import type { Totals } from './totals.ts';
import { uploadLabels } from './upload.ts';

/**
 * Records one training step: forward, loss and metrics, backward, update. Nothing is submitted or read.
 *
 * @param place which batch it is, where that is known
 */
export function recordTrainingStep(network: Network, batch: Batch, totals: Totals, place?: string): void {
  const { gpu, compiled, trainableWeights, precision } = network;
  const { optimizer } = compiled;
  const lossScale = precision === 'mixed' ? optimizer.lossScale : null;
  const tape = new Tape();
  const context = new CallContext(gpu, true, tape, new Set(trainableWeights));
  try {
    const use = (pass: Passed): void => {
      const [from, dy] = gpu.label('loss', () => beginBackward(compiled.loss, pass, tape), 'backward');
      lossScale?.scale(dy);
      const gradients = tape.gradients(from, dy);
      try {
        const pairs = trainableWeights.flatMap((variable) => {
          const gradient = gradients.get(variable.tensor(gpu));
          return gradient === undefined ? [] : [{ variable, gradient }];
        });
        lossScale?.unscale(
          gpu,
          pairs.map(({ gradient }) => gradient),
        );
        pairs.forEach(addPenaltyGradient);
        optimizer.apply(gpu, pairs, lossScale !== null);
        lossScale?.update(gpu);
      } finally {
        for (const gradient of gradients.values()) gradient.dispose();
      }
    };
    withOutputs(network, batch, { context, totals, use, place });
  } finally {
    tape.dispose();
  }
}

/** Records loss and metrics of a batch in inference mode; `keep` sees the predictions before they are let go. */
export function recordEvaluationStep(
  network: Network,
  batch: Batch,
  totals: Totals,
  { keep, place }: { keep?: ((predictions: Tensor) => void) | undefined; place?: string } = {},
): void {
  const use = (): void => undefined;
  withOutputs(network, batch, { context: new CallContext(network.gpu), totals, use, keep, place });
}

/** Throws before anything runs when the network cannot be trained (or evaluated) with its loss. */
export function checkLoss(network: Network): void {
  const { loss } = network.compiled;
  if (network.outputs.length !== 1) {
    throw new ConvbaseError(
      'training/outputs',
      `the model has ${network.outputs.length} outputs; training takes one`,
      { where: network.name },
    );
  }
  if (loss.fusedActivation !== null && network.outputActivation !== loss.fusedActivation) {
    throw new ConvbaseError(
      'loss/activation',
      `${loss.name} needs a model that ends in ${loss.fusedActivation}, this one ends in ${network.outputActivation}`,
      {
        where: network.name,
        fix: `Give the last layer the activation '${loss.fusedActivation}', or the loss { fromLogits: true } if its output is logits.`,
      },
    );
  }
}

interface Pass {
  readonly context: CallContext;
  readonly totals: Totals;
  readonly use: (pass: Passed) => void;
  readonly keep?: ((predictions: Tensor) => void) | undefined;
  /** Which batch it is, where that is known. */
  readonly place: string | undefined;
}

/** What a forward pass has made. */
interface Passed {
  readonly output: Tensor;
  readonly labels: Tensor;
  /** The loss of each sample, with its weight. */
  readonly losses: Tensor;
  readonly weights: Tensor | null;
}

/**
 * Where the way back begins, and the gradient of the mean loss there: at the output for a loss that knows its gradient, at
 * the losses for one that left it to the tape.
 */
function beginBackward(
  loss: Loss,
  { output, labels, losses, weights }: Passed,
  tape: Tape,
): readonly [from: Tensor, dy: Tensor] {
  if (loss.gradient !== undefined) {
    const dy = loss.gradient(output, labels);
    if (weights !== null) weighRows(dy, weights);
    return [output, dy];
  }
  if (!tape.watches(losses)) {
    throw new ConvbaseError('loss/gradient', 'the loss does not depend on what the network puts out', {
      where: loss.name,
      fix: 'Compute it from yPred with the methods of tensors, whose gradients the tape knows.',
    });
  }
  return [losses, fill(losses.gpu, losses.shape, 1 / losses.size, 'loss gradient')];
}

/** Forward pass, loss and metrics of one batch. */
function withOutputs(network: Network, batch: Batch, { context, totals, use, keep, place }: Pass): void {
  const { gpu, compiled } = network;
  const { loss } = compiled;
  const y = labelsOf(batch, network);
  const inputs = uploadInputs(network, batch, place);
  const owned = [...inputs];
  try {
    const output =
      loss.fusedActivation === null
        ? onlyOutput(network, inputs, context)
        : logitsOf(network, inputs, context);
    owned.push(output);
    const labels = uploadLabels(gpu, y, output.shape, loss.labels === 'classIndex', network.name);
    owned.push(labels);
    const isTaped = loss.gradient === undefined && context.tape !== null;
    let losses = gpu.label('loss', () => loss.perSample(output, labels, isTaped ? context.tape : null));
    owned.push(losses);
    const weights = uploadWeights(network, batch, losses.size);
    if (weights !== null) {
      owned.push(weights);
      if (isTaped) owned.push((losses = multiply(losses, weights, context.tape)));
      else weighRows(losses, weights);
    }
    totals.addLosses(losses);
    addPenalties(network, totals, losses.size);
    if (compiled.metrics.length > 0 || keep !== undefined) {
      const predictions = activate(loss.fusedActivation ?? 'linear', output.share(), null);
      owned.push(predictions);
      gpu.label('metrics', () => {
        if (compiled.metrics.length > 0) totals.addMetrics(predictions, labels);
      });
      keep?.(predictions);
    }
    use({ output, labels, losses, weights });
  } finally {
    for (const value of owned) value.dispose();
  }
}

function labelsOf(batch: Batch, network: Network): HostArray {
  if (batch.y === undefined) {
    throw new ConvbaseError('labels/missing', 'the dataset gives no labels', {
      where: network.name,
      fix: 'Batches for training and evaluation need y beside x.',
    });
  }
  return batch.y;
}

/** The batch's sample weights on the GPU. Throws `labels/weights` for a wrong number of them. */
function uploadWeights({ gpu, name }: Network, { sampleWeight }: Batch, rows: number): Tensor | null {
  if (sampleWeight === undefined) return null;
  const { data } = sampleWeight;
  if (data.length !== rows) {
    throw new ConvbaseError('labels/weights', `${data.length} weights were given for ${rows} losses`, {
      where: name,
      fix: 'Give one weight for each sample.',
    });
  }
  return tensor(gpu, Float32Array.from(data), [rows], 'sample weights');
}

/** Multiplies each row in place by its sample's weight. */
function weighRows(x: Tensor, weights: Tensor): void {
  const { gpu } = x;
  const rows = weights.size;
  const plan = planWeighRows({ rows, classes: x.size / rows }, gpu.target);
  gpu.run(plan, { x: x.buffer, weights: weights.buffer });
}

function onlyOutput(network: Network, inputs: readonly Tensor[], context: CallContext): Tensor {
  const [output] = outputsOf(network, inputs, context);
  if (output === undefined)
    throw new ConvbaseError('training/outputs', 'the model has no output', { where: network.name });
  return output;
}
