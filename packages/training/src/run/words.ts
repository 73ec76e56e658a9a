import type { Recipe, RecipeStage } from '../recipe/index.ts';
import type { OpenStage } from './stage.ts';

/** What a stage trains and what its frozen part costs or saves, for people. */
export function describeStage(
  stage: RecipeStage,
  { frozen, cached, validation }: Pick<OpenStage, 'frozen' | 'cached' | 'validation'>,
  samples: number,
): readonly string[] {
  if (frozen === null)
    return ['nothing in front of what is trained is frozen: pictures go through the whole model'];
  const layers = `the ${frozen.layers} frozen layers in front`;
  if (cached === undefined) {
    return [
      `augmentation makes every picture new: ${layers} run in every step, forward only`,
      ...(validation === undefined ? [] : ['validation pictures went through them once for all epochs']),
    ];
  }
  if (cached.kept === 'nowhere') {
    const room = `their outputs would take ${(cached.bytes / 1e9).toFixed(1)} GB, for which there is no room`;
    return [`${layers} run in every step, forward only: ${room}`];
  }
  const how =
    cached.computed === 0
      ? 'found on disk'
      : `computed in ${cached.seconds.toFixed(0)} s${cached.found > 0 ? `, ${cached.found} of them found on disk` : ''}`;
  const place = cached.kept === 'memory' ? 'in memory' : 'on disk';
  const { stepsPerEpoch } = stage;
  const damaged = cached.damaged === undefined ? [] : [`those on disk were damaged: ${cached.damaged}`];
  const saved = Number.isFinite(cached.flopsPerEpoch)
    ? `: saves ${formatFlops(cached.flopsPerEpoch)} an epoch`
    : '';
  return [
    ...damaged,
    `${layers} need each picture only once: outputs of ${samples} pictures ${how}`,
    `kept ${place} (${(cached.bytes / 1e6).toFixed(0)} MB)${stepsPerEpoch === undefined ? saved : ''}`,
  ];
}

/** `1.2 TFLOP` */
export function formatFlops(flops: number): string {
  const units = ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, flops)) / 3)));
  return `${(flops / 1000 ** power).toPrecision(3)} ${units[power] ?? 'FLOP'}`;
}

/** What a stage leaves frozen, in a few words. */
export function describeUnfreeze(unfreeze: RecipeStage['unfreeze'], base: string): string {
  if (unfreeze === 'none') return `${base} frozen`;
  if (unfreeze === 'all') return `all of ${base}`;
  return 'from' in unfreeze
    ? `${base} from ${unfreeze.from} on`
    : `the last ${unfreeze.last} layers of ${base}`;
}

/** `Adam at 1e-5` */
export function describeOptimizer({ name, learningRate }: RecipeStage['optimizer']): string {
  const names = { adam: 'Adam', adamw: 'AdamW', rmsprop: 'RMSprop', sgd: 'SGD' };
  if (learningRate === undefined) return names[name];
  const rate = typeof learningRate === 'number' ? `at ${learningRate}` : `with ${learningRate.schedule}`;
  return `${names[name]} ${rate}`;
}

/** A line for each stage. */
export function describeStages(recipe: Recipe): readonly string[] {
  return recipe.stages.map((stage, index) => {
    const parts = [
      describeUnfreeze(stage.unfreeze, recipe.model.base),
      recipe.sweep === undefined
        ? ''
        : `a head on each ${recipe.sweep === 'blocks' ? 'block' : 'of some layers'}`,
      index > 0 ? (stage.head === 'fresh' ? 'fresh head' : 'head goes on') : '',
      describeOptimizer(stage.optimizer),
      stage.augmentation === undefined ? '' : 'augmentation',
      `${stage.epochs} ${stage.epochs === 1 ? 'epoch' : 'epochs'}${stage.stepsPerEpoch === undefined ? '' : ` of ${stage.stepsPerEpoch} steps`}`,
    ];
    return `${stage.name}: ${parts.filter((part) => part !== '').join(', ')}`;
  });
}
