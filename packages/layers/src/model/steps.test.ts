import { describe, expect, it } from 'vitest';
import {
  Activation,
  Add,
  BatchNormalization,
  CallContext,
  Conv2D,
  Dense,
  input,
  Model,
  NameScope,
  ReLU,
  Tape,
  type SymbolicTensor,
} from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { planSteps } from './steps.ts';

type Parts = Record<'conv' | 'norm' | 'relu' | 'last' | 'relu2', SymbolicTensor>;

/** conv -> batch norm -> relu -> conv -> relu, with the outputs that `pick` chooses. */
function model(pick: (parts: Parts) => SymbolicTensor[]): Model {
  const names = new NameScope();
  const x = input({ shape: [8, 8, 3], names });
  const conv = new Conv2D({ filters: 4, kernelSize: 3, useBias: false, name: 'conv' }).apply(x);
  const norm = new BatchNormalization({ name: 'norm' }).apply(conv);
  const relu = new Activation({ activation: 'relu', name: 'relu' }).apply(norm);
  const last = new Conv2D({ filters: 4, kernelSize: 1, name: 'last' }).apply(relu);
  const relu2 = new ReLU({ name: 'relu2' }).apply(last);
  return new Model({ inputs: x, outputs: pick({ conv, norm, relu, last, relu2 }), names });
}

describe('steps', () => {
  const gpu = withGpu({ backend: 'null' });

  const describeSteps = (net: Model, context: CallContext): string[] =>
    planSteps(net.graph, context).map(
      ({ layer, fold, relu }) => layer.name + (fold ? '+norm' : '') + (relu === true ? '+relu' : ''),
    );
  const training = (net: Model): CallContext =>
    new CallContext(gpu(), true, new Tape(), new Set(net.trainableWeights));

  it('take normalisation and relu into the convolution at inference', () => {
    const net = model(({ relu2 }) => [relu2]);
    expect(describeSteps(net, new CallContext(gpu()))).toEqual(['conv+norm+relu', 'last+relu']);
  });

  it('compute what is asked for by itself', () => {
    const net = model(({ conv, norm, relu2 }) => [conv, norm, relu2]);
    expect(describeSteps(net, new CallContext(gpu()))).toEqual(['conv', 'norm', 'relu', 'last+relu']);
    const upTo = model(({ norm }) => [norm]);
    expect(describeSteps(upTo, new CallContext(gpu()))).toEqual(['conv+norm']);
  });

  it('keep normalisation with batch statistics apart in training', () => {
    const net = model(({ relu2 }) => [relu2]);
    expect(describeSteps(net, training(net))).toEqual(['conv', 'norm+relu', 'last+relu']);
  });

  it('fold a frozen normalisation into a frozen convolution, also in training', () => {
    const net = model(({ relu2 }) => [relu2]);
    net.getLayer('conv').trainable = false;
    expect(describeSteps(net, training(net))).toEqual(['conv', 'norm+relu', 'last+relu']);
    net.getLayer('norm').trainable = false;
    expect(describeSteps(net, training(net))).toEqual(['conv+norm+relu', 'last+relu']);
    net.getLayer('conv').trainable = true;
    expect(describeSteps(net, training(net))).toEqual(['conv', 'norm+relu', 'last+relu']);
  });

  it('leave a tensor with two users alone', () => {
    const names = new NameScope();
    const x = input({ shape: [4], names });
    const dense = new Dense({ units: 4, name: 'dense' }).apply(x);
    const relu = new ReLU({ name: 'relu' }).apply(dense);
    const sum = new Add({ name: 'sum' }).apply([dense, relu]);
    const net = new Model({ inputs: x, outputs: sum, names });
    expect(describeSteps(net, new CallContext(gpu()))).toEqual(['dense', 'relu', 'sum']);
  });

  it('are only those that the outputs need', () => {
    const net = model(({ relu2 }) => [relu2]);
    const part = new Model({ inputs: net.inputs, outputs: net.getLayer('relu').output });
    expect(part.layers.map((layer) => layer.name)).toEqual(['input_layer', 'conv', 'norm', 'relu']);
  });
});
