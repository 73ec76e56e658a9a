import { ConvbaseError } from '@convbase/base';
import { checkHostArray, nameOf, type Batch, type HostArray } from '../tensor/host-array.ts';
import { formatShape, sizeOf } from '../tensor/shape.ts';

/** One element of a dataset before it is put into batches: like a `Batch`, without the first dimension. */
export interface Sample {
  /** The input, or one array for each input of a model with several. */
  readonly x: HostArray | readonly HostArray[];
  readonly y?: HostArray | number | undefined;
  /** What the sample's loss is multiplied by. */
  readonly sampleWeight?: number | undefined;
  /** Which one of the dataset it is; says what augmentation draws for it. */
  readonly index?: number | undefined;
}

/** Throws `dataset/sample` for samples that cannot lie in one batch, and for what is no sample. */
export function stack(samples: readonly Sample[]): Batch {
  for (const sample of samples) checkSample(sample);
  const [first] = samples;
  if (first === undefined) fail('there are none to be put into a batch');
  const { x } = first;
  const inputs = inputsOf(first).map((_, place) =>
    stackArrays(
      samples.map((sample) => {
        const arrays = inputsOf(sample);
        if (arrays.length !== inputsOf(first).length) failDifferent('number of inputs', samples);
        return arrays[place];
      }),
      'inputs',
    ),
  );
  const [only] = inputs;
  const y = all(samples, ({ y }) => y, 'labels');
  const weights = all(samples, ({ sampleWeight }) => sampleWeight, 'sample weights');
  const indices = all(samples, ({ index }) => index, 'indices');
  return {
    x: 'data' in x && only !== undefined ? only : inputs,
    ...(y && { y: stackArrays(y.map(scalar), 'labels') }),
    ...(weights && { sampleWeight: stackArrays(weights.map(scalar), 'sample weights') }),
    ...(indices && { indices }),
  };
}

function stackArrays(arrays: readonly (HostArray | undefined)[], what: string): HostArray {
  const [first] = arrays;
  if (first === undefined) fail('an input is missing');
  const size = sizeOf(first.shape);
  const bytes = first.data instanceof Uint8Array;
  const Data = bytes ? Uint8Array : Float32Array;
  const data = new Data(arrays.length * size);
  arrays.forEach((array, row) => {
    if (array === undefined) fail('an input is missing');
    checkHostArray(array, what);
    if (formatShape(array.shape) !== formatShape(first.shape)) failDifferent(`${what}' shape`, arrays);
    if (array.data instanceof Uint8Array !== bytes) failDifferent(`${what}' type of numbers`, arrays);
    if (array.preprocess !== first.preprocess) failDifferent(`${what}' preprocess`, arrays);
    if (array.augment !== undefined) fail('transforms are for batches: augment the dataset behind batch()');
    data.set(array.data, row * size);
  });
  const { preprocess } = first;
  return { data, shape: [arrays.length, ...first.shape], ...(preprocess && { preprocess }) };
}

/** What all samples have, or none of them. */
function all<T>(
  samples: readonly Sample[],
  pick: (sample: Sample) => T | undefined,
  what: string,
): readonly T[] | null {
  const values = samples.map(pick).filter((value) => value !== undefined);
  if (values.length === 0) return null;
  if (values.length < samples.length) fail(`some samples of a batch have ${what}, others have none`);
  return values;
}

const scalar = (value: HostArray | number): HostArray =>
  typeof value === 'number' ? { data: Float32Array.of(value), shape: [] } : value;

const inputsOf = ({ x }: Sample): readonly HostArray[] => ('data' in x ? [x] : x);

function checkSample(sample: unknown): void {
  const { x } = Object(sample) as { readonly x?: unknown };
  if (x === null || typeof x !== 'object' || !('data' in x || Array.isArray(x))) {
    fail(`${nameOf(sample)} is no sample`, 'Make { x: { data, shape }, y } of each element with map().');
  }
}

function failDifferent(what: string, values: readonly (HostArray | Sample | undefined)[]): never {
  const shapes = values.flatMap((value) => (value && 'shape' in value ? [formatShape(value.shape)] : []));
  const shown = [...new Set(shapes)].slice(0, 3).join(' and ');
  fail(`the samples of a batch differ in their ${what}${shown === '' ? '' : `: ${shown}`}`);
}

function fail(what: string, fix = 'Make the samples alike with map(), before batch().'): never {
  throw new ConvbaseError('dataset/sample', what, { where: 'batch', fix });
}
