import type { CachedEpochTask, ModelName, TrainTask } from '../protocol.ts';
import type { Case, CaseSet } from './case.ts';
import { forwardCost, trainingCost } from './cost.ts';
import { firstTrained, titles, type From, type Network } from './network.ts';

/** A batch through a whole network. */
export function forward(model: ModelName, size: number, batch: number, sets: readonly CaseSet[]): Case {
  return {
    id: `forward/${model}/${size}/${batch}`,
    title: `${titles[model]} forward, ${size}x${size}, batch ${batch}`,
    group: 'forward',
    sets,
    pictures: batch,
    prepare: async (files) => {
      const network = await files.network({ kind: 'base', model, size });
      const task = { kind: 'forward', model, size, batch, materials: network.materials } as const;
      return { task, cost: forwardCost(network.model, batch) };
    },
  };
}

/** From the start of the process to the features of one picture. */
export function firstResult(model: ModelName, size: number, start: 'cold' | 'warm'): Case {
  return {
    id: `start/${model}/${size}/${start}`,
    title: `process start to first result, ${titles[model]} ${size}x${size}, ${start}`,
    group: 'start',
    sets: ['quick', 'full'],
    pictures: 1,
    start,
    prepare: async (files) => {
      const { materials } = await files.network({ kind: 'base', model, size });
      return { task: { kind: 'first-result', model, size, batch: 1, materials }, cost: [] };
    },
  };
}

interface TrainingCase {
  readonly model: ModelName;
  readonly size: number;
  readonly from: From;
  /** In titles: `from block5_conv1`. */
  readonly what: string;
  readonly batch: number;
  readonly sets: readonly CaseSet[];
}

/** One training step of a network with a head: the frozen part runs, too. */
export function trainingStep(options: TrainingCase): Case {
  const { model, what, batch, size, sets } = options;
  return {
    id: `train/${model}/${slug(what)}/${size}/${batch}`,
    title: `${titles[model]} fine-tuning step, ${what}, ${size}x${size}, batch ${batch}`,
    group: 'training',
    sets,
    pictures: batch,
    prepare: async (files) => {
      const { model: built, materials } = await files.network(networkOf(options, 'whole'));
      const trainableFrom = firstTrained(built, options.from);
      return {
        task: trainTask({ input: [size, size, 3], inputKind: 'pictures', batch, trainableFrom, materials }),
        cost: trainingCost(built, batch, trainableFrom),
      };
    },
  };
}

/** The same without the frozen part, from what that gives. */
export function trainedPart(options: TrainingCase): Case {
  const { model, what, batch, size, sets } = options;
  return {
    id: `trained-part/${model}/${slug(what)}/${size}/${batch}`,
    title: `${titles[model]} trained part alone, ${what}, ${size}x${size}, batch ${batch}`,
    group: 'training',
    sets,
    pictures: batch,
    prepare: async (files) => {
      const { model: built, materials } = await files.network(networkOf(options, 'trained'));
      const trainableFrom = firstTrained(built, options.from);
      const input = inputOf(built.input.shape);
      return {
        task: trainTask({ input, inputKind: 'features', batch, trainableFrom, materials }),
        cost: trainingCost(built, batch, trainableFrom),
      };
    },
  };
}

/** An epoch for which the frozen part's outputs are there already, beside as many steps of the trained part alone. */
export function laterEpoch(options: TrainingCase, steps: number): Case {
  const { model, what, batch, size, sets } = options;
  const pictures = steps * batch;
  return {
    id: `later-epoch/${model}/${slug(what)}/${size}/${batch}`,
    title: `${titles[model]} epoch after the first, ${what}, ${size}x${size}, ${pictures} pictures, batch ${batch}`,
    group: 'training',
    sets,
    pictures,
    only: ['convbase'],
    prepare: async (files) => {
      const { model: built, materials } = await files.network(networkOf(options, 'whole'));
      const trained = await files.network(networkOf(options, 'trained'));
      const trainableFrom = firstTrained(built, options.from);
      const folder = await files.pictures(pictures);
      const taskOf = async (outputs: CachedEpochTask['outputs']): Promise<CachedEpochTask> => ({
        kind: 'cached-epoch',
        outputs,
        model,
        size,
        batch,
        pictures,
        trainableFrom,
        learningRate: LEARNING_RATE,
        momentum: MOMENTUM,
        materials: { ...materials, pictures: folder, scratch: await files.scratch() },
      });
      return {
        task: await taskOf('kept'),
        cost: trainingCost(trained.model, pictures, trainableFrom),
        versus: [{ contender: 'convbase', label: 'trained part alone', task: await taskOf('ready') }],
      };
    },
  };
}

/** One epoch of a dense head over features. */
export function headEpoch(features: number, rows: number, batch: number): Case {
  return {
    id: `head/${features}/${rows}/${batch}`,
    title: `epoch of a dense head, ${rows} rows of ${features} features, batch ${batch}`,
    group: 'training',
    sets: ['quick', 'full'],
    pictures: rows,
    prepare: async (files) => {
      const { model, materials } = await files.network({ kind: 'head', features });
      const steps = Math.floor(rows / batch);
      const trainableFrom = 'head_dense';
      return {
        task: trainTask({ input: [features], inputKind: 'features', batch, steps, trainableFrom, materials }),
        cost: trainingCost(model, batch, trainableFrom).map(({ flops, bytes }) => ({
          flops: steps * flops,
          bytes: steps * bytes,
        })),
      };
    },
  };
}

/** Pictures in files to features on the host. */
export function extraction(
  model: ModelName,
  size: number,
  pictures: number,
  batch: number,
  sets: readonly CaseSet[],
): Case {
  return {
    id: `extract/${model}/${size}/${pictures}`,
    title: `features of ${pictures} JPEG files, ${titles[model]} ${size}x${size}, batch ${batch}`,
    group: 'pictures',
    sets,
    pictures,
    prepare: async (files) => {
      const network = await files.network({ kind: 'base', model, size });
      const materials = { ...network.materials, pictures: await files.pictures(pictures) };
      return {
        task: { kind: 'extract', model, size, batch, pictures, materials },
        cost: forwardCost(network.model, pictures),
      };
    },
  };
}

/** Small enough not to lose the way with weights that know nothing, large enough to be seen in float32. */
const LEARNING_RATE = 1e-3;
const MOMENTUM = 0.9;

function trainTask(
  options: Omit<TrainTask, 'kind' | 'learningRate' | 'momentum' | 'steps'> & { steps?: number },
): TrainTask {
  return { kind: 'train', steps: 1, learningRate: LEARNING_RATE, momentum: MOMENTUM, ...options };
}

function networkOf({ model, size, from }: TrainingCase, part: 'whole' | 'trained'): Network {
  return { kind: 'fine-tuned', model, size, part, from };
}

function inputOf(shape: readonly (number | null)[]): number[] {
  return shape.slice(1).map(Number);
}

function slug(text: string): string {
  return text.replaceAll(/\W+/g, '-');
}
