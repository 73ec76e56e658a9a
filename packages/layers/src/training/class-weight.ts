import { ConvbaseError } from '@convbase/base';
import { checkHostArray, type Batch, type Dataset, type HostArray } from '../tensor/host-array.ts';
import { mapBatches } from '../tensor/map-batches.ts';

type ClassWeight = Readonly<Record<number, number>>;

/**
 * Weights that make every class count the same in the loss: `n / (classes * count)`, as scikit-learn's 'balanced'.
 * `labels` are class indices; classes without a label get none.
 */
export function balancedClassWeight(labels: ArrayLike<number>): Record<number, number> {
  const counts = new Map<number, number>();
  for (const label of Array.from(labels)) counts.set(label, (counts.get(label) ?? 0) + 1);
  const share = labels.length / counts.size;
  const sorted = [...counts].sort(([a], [b]) => a - b);
  return Object.fromEntries(sorted.map(([label, count]) => [label, share / count]));
}

/**
 * The dataset with each class' weight as its samples' weights.
 *
 * @param classes how many there are, if that is known
 */
export function withClassWeight(
  dataset: Dataset,
  classWeight: ClassWeight | undefined,
  classes: number | null = null,
): Dataset {
  if (classWeight === undefined) return dataset;
  for (const [label, weight] of Object.entries(classWeight)) {
    if (!/^\d+$/.test(label) || Number(label) >= (classes ?? Infinity)) {
      const all = classes === null ? '' : `, only 0 to ${classes - 1}`;
      throw new ConvbaseError('training/class-weight', `there is no class ${label}${all}`, {
        fix: 'Give weights by the numbers of the classes.',
      });
    }
    if (Number.isFinite(weight) && weight >= 0) continue;
    throw new ConvbaseError('training/class-weight', `class ${label} cannot have the weight ${weight}`, {
      fix: 'Weights are 0 or more.',
    });
  }
  return mapBatches(dataset, (batch) => weigh(batch, classWeight));
}

/** As Keras' `class_weight_to_sample_weights`: one-hot rows by their largest entry, single numbers rounded. */
function weigh(batch: Batch, classWeight: ClassWeight): Batch {
  if (batch.sampleWeight !== undefined) {
    throw new ConvbaseError('training/class-weight', 'the dataset gives sample weights already', {
      fix: 'Use class weights or sample weights, not both.',
    });
  }
  if (batch.y === undefined) return batch; // the step says that labels are missing
  checkHostArray(batch.y, 'labels');
  const data = Float32Array.from(classesOf(batch.y), (label) => classWeight[label] ?? 1);
  return { ...batch, sampleWeight: { data, shape: [data.length] } };
}

function classesOf({ data, shape }: HostArray): number[] {
  const [rows = 0] = shape;
  const columns = shape.length > 1 ? (shape.at(-1) ?? 1) : 1;
  return Array.from({ length: rows }, (_, row) => {
    if (columns === 1) return Math.round(data[row] ?? 0);
    const values = data.subarray(row * columns, (row + 1) * columns);
    return values.indexOf(Math.max(...values));
  });
}
