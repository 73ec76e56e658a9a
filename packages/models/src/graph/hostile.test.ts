import { describe, expect, test } from 'vitest';
import { ConvbaseError } from '@convbase/base';
import { endsWell } from '../../../base/src/testing/fuzz.ts';
import { modelFromConfig } from './index.ts';

describe('configs that are small and ask for much', () => {
  const history = (layer: string, node = 0) => ({
    class_name: '__keras_tensor__',
    config: { keras_history: [layer, node, 0] },
  });
  const input = { class_name: 'InputLayer', name: 'in', config: { name: 'in', batch_shape: [null, 8] } };
  const relu = (name: string, ...calls: unknown[]) => ({
    class_name: 'ReLU',
    name,
    config: { name },
    inbound_nodes: calls.map((args) => ({ args: [args], kwargs: {} })),
  });
  const functional = (layers: object[], output: [string, number, number]) => ({
    class_name: 'Functional',
    config: { name: 'm', layers, input_layers: [['in', 0, 0]], output_layers: [output] },
  });

  test('models in models, each called ten times in the next', async () => {
    let config: object = functional([input, relu('r', history('in'))], ['r', 0, 0]);
    for (let depth = 0; depth < 14; depth++) {
      const calls = Array.from({ length: 10 }, (_, i) => ({
        args: [i === 0 ? history('in') : history('inner', i - 1)],
        kwargs: {},
      }));
      const inner = { ...config, name: 'inner', inbound_nodes: calls };
      config = functional([input, inner], ['inner', 9, 0]);
    }
    expect(await endsWell(() => modelFromConfig(config))).toMatchObject({ code: 'graph/too-large' });
  });

  test('models in models, deeper than any', async () => {
    let config: object = functional([input, relu('r', history('in'))], ['r', 0, 0]);
    for (let depth = 0; depth < 100; depth++) {
      const inner = { ...config, name: 'm', inbound_nodes: [{ args: [history('in')], kwargs: {} }] };
      config = functional([input, inner], ['m', 0, 0]);
    }
    expect(await endsWell(() => modelFromConfig(config))).toMatchObject({ code: 'graph/too-large' });
  });

  test('ten thousand layers, or one called ten thousand times', async () => {
    const names = Array.from({ length: 9990 }, (_, i) => `r${i}`);
    const row = names.map((name, i) => relu(name, history(names[i - 1] ?? 'in')));
    const chain = functional([input, ...row], ['r9989', 0, 0]);
    expect(await endsWell(() => modelFromConfig(chain).layers.length)).toBe(9991);
    const sequential = { class_name: 'Sequential', config: { name: 's', layers: [input, ...row] } };
    expect(await endsWell(() => modelFromConfig(sequential).layers.length)).toBe(9990);
    const calls = names.map((_, i) => (i === 0 ? history('in') : history('again', i - 1)));
    const again = functional([input, relu('again', ...calls)], ['again', 9989, 0]);
    expect(await endsWell(() => modelFromConfig(again).layers.length)).toBe(2);
    const wide = functional([input, relu('wide', ...names.map(() => history('in')))], ['wide', 0, 0]);
    expect(await endsWell(() => modelFromConfig(wide).layers.length)).toBe(2);
  });

  test('a call with a million inputs', async () => {
    const add = {
      ...{ class_name: 'Add', name: 'a', config: { name: 'a' } },
      inbound_nodes: [{ args: [Array.from({ length: 1_000_000 }, () => history('in'))], kwargs: {} }],
    };
    const config = functional([input, add], ['a', 0, 0]);
    expect(await endsWell(() => modelFromConfig(config))).toMatchObject({ code: 'graph/inbound-nodes' });
  });

  test('weights of 10^15 bytes: described, but never drawn', async () => {
    const dense = (name: string) => ({ class_name: 'Dense', name, config: { name, units: 2 ** 24 } });
    const config = {
      class_name: 'Sequential',
      config: { name: 's', layers: [input, dense('a'), dense('b')] },
    };
    const model = modelFromConfig(config);
    expect(model.countParams()).toBeGreaterThan(1e14);
    const weight = model.weights.find((one) => one.path === 'b/kernel');
    expect(await endsWell(() => weight?.read())).toBeInstanceOf(ConvbaseError);
  });
});
