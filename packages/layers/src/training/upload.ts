import { ConvbaseError } from '@convbase/base';
import { planOneHot, planPreprocess, type Gpu, type ImageTransform } from '@convbase/core-gpu';
import { augment } from '../ops/augment.ts';
import { cast } from '../ops/cast.ts';
import { checkHostArray, type HostArray, type PreprocessMode } from '../tensor/host-array.ts';
import { formatShape } from '../tensor/shape.ts';
import { tensor, Tensor, type FloatType } from '../tensor/tensor.ts';

/**
 * A batch of inputs on the GPU, as float32 or float16. Bytes of RGB pictures are uploaded as bytes, a quarter of the traffic, and
 * become floats there the way `preprocess` says; before that they are augmented where `augment` says so. `'caffe'` of
 * anything but RGB is `input/channels`, augmentation of anything but pictures of bytes `input/augment`.
 */
export function uploadInput(gpu: Gpu, x: HostArray, where: string, dtype: FloatType = 'float32'): Tensor {
  checkHostArray(x, where);
  const isRgb = x.data instanceof Uint8Array && x.shape.at(-1) === 3;
  if (dtype === 'float16' && (!isRgb || (x.augment !== undefined && x.augment.length > 0))) {
    const wide = uploadInput(gpu, x, where);
    const y = cast(wide, dtype);
    wide.dispose();
    return y;
  }
  const mode = x.preprocess ?? 'none';
  if (x.augment !== undefined && x.augment.length > 0) return uploadAugmented(gpu, x, x.augment, where);
  if (x.data instanceof Float32Array) return tensor(gpu, x.data, x.shape, 'input');
  if (x.shape.at(-1) !== 3) return tensor(gpu, greyToFloats(x, mode, where), x.shape, 'input');
  const bytes = tensor(gpu, x.data, x.shape, 'input bytes');
  const y = Tensor.empty(gpu, x.shape, 'input', dtype);
  gpu.label('input', () => {
    gpu.run(planPreprocess({ pixels: y.size / 3, mode }, gpu.target), { bytes: bytes.buffer, y: y.buffer });
  });
  bytes.dispose();
  return y;
}

function uploadAugmented(
  gpu: Gpu,
  x: HostArray,
  steps: readonly (readonly ImageTransform[])[],
  where: string,
): Tensor {
  const counts = steps.map((transforms) => transforms.length);
  const fit = counts.every((count) => count === x.shape[0]);
  if (x.shape.length !== 4 || !fit || !(x.data instanceof Uint8Array)) {
    const what = `${x.data instanceof Uint8Array ? 'uint8' : 'float32'} ${formatShape(x.shape)}`;
    throw new ConvbaseError('input/augment', `${counts.join(' and ')} transforms do not go with ${what}`, {
      where,
      fix: 'Give uint8 pictures (n, height, width, channels) and n transforms for each step.',
    });
  }
  const mode = x.preprocess ?? 'none';
  if (mode === 'caffe' && x.shape[3] !== 3) failChannels(x, where);
  let pictures = tensor(gpu, x.data, x.shape, 'input bytes');
  steps.forEach((transforms, step) => {
    const before = pictures;
    try {
      pictures = augment(before, transforms, step === steps.length - 1 ? { mode } : {});
    } finally {
      before.dispose();
    }
  });
  return pictures;
}

/** The modes that treat all channels alike, for bytes that are not RGB; those are few, so the CPU does it. */
function greyToFloats(x: HostArray, mode: PreprocessMode, where: string): Float32Array {
  switch (mode) {
    case 'none':
      return Float32Array.from(x.data);
    case 'rescale':
      return Float32Array.from(x.data, (byte) => byte / 255);
    case 'tf':
      return Float32Array.from(x.data, (byte) => byte / 127.5 - 1);
    case 'caffe':
      failChannels(x, where);
  }
}

function failChannels(x: HostArray, where: string): never {
  throw new ConvbaseError(
    'input/channels',
    `'caffe' preprocessing needs RGB, the data is ${formatShape(x.shape)}`,
    { where, fix: 'Give pictures with three channels.' },
  );
}

/**
 * Labels as float32 of the shape of the outputs. A missing last axis of size 1 is added; with `classIndex` one index
 * per sample becomes a one-hot row. Anything else is `labels/shape`.
 */
export function uploadLabels(
  gpu: Gpu,
  y: HostArray,
  outputShape: readonly number[],
  classIndex: boolean,
  where: string,
): Tensor {
  checkHostArray(y, `labels of ${where}`);
  const rows = outputShape[0] ?? 0;
  const classes = outputShape.at(-1) ?? 1;
  if (classIndex) {
    if (y.data.length !== rows) mismatch('one class index for each sample is needed');
    const wrong = y.data.find((label) => !Number.isInteger(label) || label < 0 || label >= classes);
    if (wrong !== undefined) mismatch(`${wrong} is not the index of one of ${classes} classes`);
    const indices = tensor(gpu, Int32Array.from(y.data), [rows], 'class indices');
    const labels = Tensor.empty(gpu, outputShape, 'labels');
    gpu.run(planOneHot({ rows, classes }, gpu.target), { indices: indices.buffer, y: labels.buffer });
    indices.dispose();
    return labels;
  }
  const same = y.shape.length === outputShape.length && y.shape.every((d, axis) => d === outputShape[axis]);
  const lacksAxis = classes === 1 && y.shape.length === outputShape.length - 1 && y.shape[0] === rows;
  if (!same && !lacksAxis) mismatch('labels and outputs have to have the same shape');
  const values = y.data instanceof Float32Array ? y.data : Float32Array.from(y.data);
  return tensor(gpu, values, outputShape, 'labels');

  function mismatch(what: string): never {
    throw new ConvbaseError(
      'labels/shape',
      `the labels have shape ${formatShape(y.shape)}, the outputs ${formatShape(outputShape)}: ${what}`,
      {
        where,
        fix:
          classes > 1 && !classIndex && y.data.length === rows
            ? "Class indices go with the loss 'sparseCategoricalCrossentropy', or turn them into one-hot rows."
            : 'Give the last layer as many units as a label has numbers.',
      },
    );
  }
}
