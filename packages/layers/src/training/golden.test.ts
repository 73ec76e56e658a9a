import { describe, expect, it } from 'vitest';
import { Model, optimizerFromConfig, type Batch } from '../index.ts';
import { hasGolden, noGolden, readGolden } from '../testing/golden.ts';
import { withGpu } from '../testing/gpu.ts';
import { miniInception, miniVgg } from '../testing/mini-models.ts';
import { relativeError } from '../testing/numbers.ts';

interface Run {
  readonly name: string;
  readonly optimizer_class: string;
  readonly learning_rate: number;
  readonly first_trainable_layer: string | null;
  readonly loss: string;
  readonly steps: number;
}

const builders = { mini_vgg: miniVgg, mini_inception: miniInception };

for (const [file, build] of Object.entries(builders)) {
  describe.skipIf(!hasGolden(file))(`${file} against Keras`, () => {
    const gpu = withGpu();
    const { cases, tensors } = hasGolden(file) ? readGolden(file) : noGolden;
    const tensor = (name: string): { shape: number[]; data: Float32Array } => {
      const found = tensors.get(name);
      if (found === undefined) throw new Error(`no ${name}`);
      return found;
    };
    const batch: () => Batch = () => ({ x: tensor('x'), y: tensor('y') });

    /** The model with the weights that the training runs began with: where they ended minus how far they moved. */
    const start = (): Model => {
      const model = build().to(gpu());
      for (const weight of model.weights) {
        const after = tensor(`all_sgd.after.${weight.path}`).data;
        const moved = tensors.get(`all_sgd.moved.${weight.path}`)?.data;
        weight.assign(after.map((value, i) => value - (moved?.[i] ?? 0)));
      }
      return model;
    };

    it('predicts the same', async () => {
      const model = start();
      const y = await model.predict(batch().x);
      expect(relativeError(y.data, tensor('predictions').data)).toBeLessThan(1e-5);
      model.dispose();
    });

    it('computes the same activation in every layer, alone and all at once', async () => {
      const model = start();
      const layers = model.layers.filter((layer) => layer.className !== 'InputLayer');
      const all = new Model({
        inputs: model.inputs,
        outputs: layers.map((layer) => layer.output),
        name: 'all',
      }).to(gpu());
      const outputs = await all.predictOnBatch(batch().x);
      for (const [index, layer] of layers.entries()) {
        const expected = tensor(`activation.${layer.name}`).data;
        expect(relativeError(outputs[index]?.data ?? [], expected), layer.name).toBeLessThan(1e-5);
        const alone = new Model({ inputs: model.inputs, outputs: layer.output, name: layer.name }).to(gpu());
        const y = await alone.predict(batch().x);
        expect(relativeError(y.data, expected), `${layer.name} alone`).toBeLessThan(1e-5);
      }
      all.dispose();
      model.dispose();
    });

    for (const run of cases as unknown as Run[]) {
      it(`trains the same: ${run.name}`, async () => {
        const model = start();
        const before = new Map<string, Float32Array>();
        for (const weight of model.weights) before.set(weight.path, await weight.read());
        let frozen = run.first_trainable_layer !== null;
        for (const layer of model.layers) {
          if (layer.name === run.first_trainable_layer) frozen = false;
          layer.trainable = !frozen;
        }
        const optimizer = optimizerFromConfig(run.optimizer_class, { learning_rate: run.learning_rate });
        model.compile({ optimizer, loss: run.loss });
        const losses: number[] = [];
        for (let step = 0; step < run.steps; step++)
          losses.push((await model.trainOnBatch(batch()))['loss'] ?? NaN);

        expect(relativeError(losses, tensor(`${run.name}.losses`).data)).toBeLessThan(1e-5);
        for (const weight of model.weights) {
          const after = await weight.read();
          expect(
            relativeError(after, tensor(`${run.name}.after.${weight.path}`).data),
            weight.path,
          ).toBeLessThan(1e-5);
          const expected = tensors.get(`${run.name}.moved.${weight.path}`)?.data;
          if (expected === undefined) {
            expect(after, weight.path).toEqual(before.get(weight.path));
            continue;
          }
          const moved = after.map((value, i) => value - (before.get(weight.path)?.[i] ?? 0));
          expect(relativeError(moved, expected), `moved ${weight.path}`).toBeLessThan(1e-3);
        }
        model.dispose();
      });
    }
  });
}
