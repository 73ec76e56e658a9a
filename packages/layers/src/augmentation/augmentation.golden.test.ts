import { describe, expect, it } from 'vitest';
import { CallContext } from '../layers/context.ts';
import * as layers from '../layers/augmentation/index.ts';
import type { UnaryLayer } from '../layers/layer.ts';
import { augment } from '../ops/augment.ts';
import { tensor } from '../tensor/tensor.ts';
import { uploadInput } from '../training/upload.ts';
import { expectWithin, floatsOf, kerasAugmentation, picture } from '../testing/augmentation.ts';
import { withGpu } from '../testing/gpu.ts';
import { ImageDataGenerator } from './image-data-generator.ts';

/** Interpolation in float32 with positions in float32, between neighbours up to 255 apart. */
const ROUNDING = 0.002;

const described = kerasAugmentation.generator.map((given) => {
  const changed = Object.entries(given.parameters).filter(
    ([, value]) => value !== null && Number(value) !== 0,
  );
  const text = changed.map(([name, value]) => `${name} ${String(value)}`).join(' ');
  return [`${given.picture} ${JSON.stringify(given.options)} ${text}`, given] as const;
});

describe("ImageDataGenerator makes Keras' pictures", () => {
  const gpu = withGpu();

  it.each(described)('%s', async (_, { picture: name, options, parameters, y }) => {
    const x = picture(name);
    const generator = new ImageDataGenerator(options);
    const [, height, width] = x.shape;
    const transform = generator.imageTransform(parameters, { height, width });
    const dataset = { batches: () => [{ x }] };
    // `flow` brings the preprocessing; its own random transform is replaced by the given one.
    for await (const batch of generator.flow(dataset).batches(0)) {
      const upload = { ...(batch.x as typeof x), augment: [[transform]] };
      const actual = uploadInput(gpu(), upload, 'test');
      // Brightness works on whole grey levels: what rounding decides is one level, times the factor.
      const levels =
        parameters.brightness === null ? ROUNDING : Math.max(1, Math.ceil(parameters.brightness));
      const scale = options.rescale ?? 1;
      const values = await actual.data();
      expectWithin(values, floatsOf(y), levels * scale);
      // Nearly everywhere that is not needed.
      const off = values.filter((value, i) => Math.abs(value - (floatsOf(y)[i] ?? NaN)) > ROUNDING * scale);
      expect(off.length / values.length).toBeLessThan(0.01);
      actual.dispose();
    }
  });
});

const classes = layers as unknown as Record<string, new (options: object) => UnaryLayer>;
const layerCases = kerasAugmentation.layers.map((given) => {
  const { layer, options, draws } = given;
  return [`${layer} ${JSON.stringify(options)} ${draws.join(' ')}`, given] as const;
});

describe("the layers make Keras' pictures", () => {
  const gpu = withGpu();

  it.each(layerCases)('%s', async (_, { layer: className, options, draws, y }) => {
    const Class = classes[className];
    if (Class === undefined) throw new Error(`there is no ${className}`);
    const layer = new Class(options);
    const { data, shape } = picture('wide');
    const x = tensor(gpu(), Float32Array.from(data), shape);
    const left = [...draws];
    const outputs =
      layer instanceof layers.AugmentationLayer
        ? [
            augment(x, [
              layer.randomTransform({ height: shape[1], width: shape[2] }, () => left.shift() ?? NaN),
            ]),
          ]
        : layer.call([x], new CallContext(gpu(), true));
    expect(left).toEqual([]);
    for (const output of outputs) {
      expect(output.shape).toEqual(y.shape);
      expectWithin(await output.data(), floatsOf(y), ROUNDING);
      output.dispose();
    }
    x.dispose();
  });
});
