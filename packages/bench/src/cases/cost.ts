import { Conv2D, Dense, type Layer, type Model, type Shape } from '@convbase/layers';
import { outputSize } from '../inputs.ts';
import type { Convolution } from '../protocol.ts';

/** What a piece of work takes at the least: a piece is limited by one or the other. */
export interface Cost {
  /** Floating-point operations of the textbook's algorithm; a multiply-add counts 2. */
  readonly flops: number;
  /** Bytes that have to be read and written at least once: inputs, weights, outputs. */
  readonly bytes: number;
}

/** A call of a layer with weights, for one picture; inputs and outputs in elements. */
interface Call {
  readonly layer: Layer;
  readonly flops: number;
  readonly input: number;
  readonly weights: number;
  readonly output: number;
}

/** The calls of convolutions and dense layers; what is between them costs little and can be fused into them. */
function calls(model: Model): Call[] {
  return model.graph.nodes.flatMap(({ layer, inputs, outputs }): Call[] => {
    const shapes = inputs.map(({ shape }) => shape);
    if (!(layer instanceof Conv2D || layer instanceof Dense)) return [];
    return [
      {
        layer,
        flops: layer.flops(shapes.map((shape) => [1, ...shape.slice(1)])),
        input: elements(shapes[0]),
        weights: layer.countParams(),
        output: elements(outputs[0]?.shape),
      },
    ];
  });
}

function elements(shape: Shape = []): number {
  return shape.slice(1).reduce<number>((product, extent) => product * (extent ?? NaN), 1);
}

/** A forward pass of a batch. */
export function forwardCost(model: Model, batch: number): Cost[] {
  return calls(model).map((call) => forward(call, batch));
}

function forward({ flops, input, weights, output }: Call, batch: number): Cost {
  return { flops: batch * flops, bytes: 4 * (batch * (input + output) + weights) };
}

/**
 * A training step: every layer forward; those from `trainableFrom` on also their filter gradients, and but for the first
 * their input gradients, each as costly as the forward pass.
 */
export function trainingCost(model: Model, batch: number, trainableFrom: string): Cost[] {
  const order = new Map(model.layers.map((layer, index) => [layer, index]));
  const first = order.get(model.getLayer(trainableFrom)) ?? 0;
  return calls(model).flatMap((call) => {
    const cost = forward(call, batch);
    const place = order.get(call.layer) ?? 0;
    return place < first ? [cost] : place === first ? [cost, cost] : [cost, cost, cost];
  });
}

/** One convolution, or one of its gradients, which cost the same. */
export function convolutionCost(c: Convolution): Cost {
  const { oh, ow } = outputSize(c);
  const outputs = c.n * oh * ow * c.co;
  const window = c.kh * c.kw * c.ci;
  return {
    flops: 2 * outputs * window,
    bytes: 4 * (c.n * c.h * c.w * c.ci + window * c.co + outputs),
  };
}

/** The distinct convolutions of a network, in order, each with the name of its first layer. */
export function convolutionsOf(model: Model, batch: number): { layer: string; convolution: Convolution }[] {
  const distinct = new Map<string, { layer: string; convolution: Convolution }>();
  for (const { layer, inputs } of model.graph.nodes) {
    if (!(layer instanceof Conv2D)) continue;
    const [, h = 0, w = 0, ci = 0] = inputs[0]?.shape.map(Number) ?? [];
    const [kh, kw] = layer.kernelSize;
    const { strides, padding } = layer.options;
    const convolution: Convolution = { n: batch, h, w, ci, co: layer.filters, kh, kw, strides, padding };
    const key = JSON.stringify(convolution);
    if (!distinct.has(key)) distinct.set(key, { layer: layer.name, convolution });
  }
  return [...distinct.values()];
}
