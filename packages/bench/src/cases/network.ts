import { Dense, Flatten, input, Model, Sequential } from '@convbase/layers';
import { applications, hashWeights } from '@convbase/models';
import type { ModelName } from '../protocol.ts';

/** A network that cases are about. */
export type Network =
  /** A network of Keras' without its top. */
  | { readonly kind: 'base'; readonly model: ModelName; readonly size: number }
  /** The same with a dense head behind it; or the part of that which learns, from what comes before it. */
  | {
      readonly kind: 'fine-tuned';
      readonly model: ModelName;
      readonly size: number;
      readonly part: 'whole' | 'trained';
      readonly from: From;
    }
  /** A dense head alone. */
  | { readonly kind: 'head'; readonly features: number };

/** The first layer that learns, by name; or that of the last so many of the base. */
export type From = string | { readonly last: number };

/** What people call the networks. */
export const titles: Record<ModelName, string> = {
  vgg16: 'VGG16',
  vgg19: 'VGG19',
  inception_v3: 'InceptionV3',
  resnet50: 'ResNet50',
};

/** Units of the dense layer of every head. */
const HEAD_UNITS = 256;

/** Builds it, with `hashWeights` for weights (batch normalisation keeps its initial statistics). */
export async function buildNetwork(network: Network): Promise<Model> {
  const model = await build(network);
  for (const weight of model.weights) {
    const name = weight.path.split('/').slice(-2).join('/');
    if (/\/(kernel|bias)$/.test(name)) weight.assign(hashWeights(name, weight.shape));
  }
  return model;
}

async function build(network: Network): Promise<Model> {
  switch (network.kind) {
    case 'base':
      return buildStructure(network.model, network.size);
    case 'head':
      return new Sequential({
        layers: [input({ shape: [network.features] }).layer, ...head()],
        name: 'head',
      });
    case 'fine-tuned': {
      const base = await buildStructure(network.model, network.size);
      const outputs = [new Flatten({ name: 'flatten' }), ...head()].reduce(
        (x, layer) => layer.apply(x),
        base.output,
      );
      const model = new Model({ inputs: base.input, outputs, name: `${network.model}_with_head` });
      if (network.part === 'whole') return model;
      return trainedPart(model, firstTrained(model, network.from));
    }
  }
}

/** The layers from one on as a model of their own, of what comes before that one. The network must be one line there. */
function trainedPart(model: Model, from: string): Model {
  const layers = model.layers.slice(model.layers.indexOf(model.getLayer(from)));
  const before = layers[0]?.input.shape.slice(1) ?? [];
  const start = input({ shape: before, name: 'trained_part_input' });
  const outputs = layers.reduce((x, layer) => layer.apply(x), start);
  return new Model({ inputs: start, outputs, name: `${model.name}_trained_part` });
}

/** A network of Keras' without its top, with initial weights. */
export function buildStructure(name: ModelName, size: number): Promise<Model> {
  return applications[name].create({ includeTop: false, inputShape: [size, size, 3], weights: null });
}

function head(): [Dense, Dense] {
  return [
    new Dense({ units: HEAD_UNITS, activation: 'relu', name: 'head_dense' }),
    new Dense({ units: 1, activation: 'sigmoid', name: 'head_out' }),
  ];
}

/** The name of the first layer that learns, in a base with the three layers of a head behind it. */
export function firstTrained(model: Model, from: From): string {
  if (typeof from === 'string') return from;
  return model.layers.at(-(from.last + 3))?.name ?? '';
}
