/**
 * The files that Keras downloads for its applications: addresses and MD5 from `keras/src/applications/{vgg16, vgg19,
 * resnet, inception_v3, imagenet_utils}.py` of Keras 3.
 */
const STORAGE = 'https://storage.googleapis.com/tensorflow/keras-applications';

/** A file with a fixed address and a known MD5. */
export interface RemoteFile {
  /** Its name in convbase's cache and in Keras' own. */
  readonly file: string;
  readonly url: string;
  readonly md5: string;
  /** No bytes beyond these are taken from a server; default that of `downloadFile`. */
  readonly maxBytes?: number;
}

/** ImageNet weights of one application, with or without its classifying top. */
export interface WeightFile extends RemoteFile {
  /** Keras' module name. */
  readonly model: 'vgg16' | 'vgg19' | 'resnet50' | 'inception_v3';
  readonly includeTop: boolean;
}

/**
 * The files' folders, MD5s and bytes, with the top and without. The bytes are those of Keras' downloads: four for each
 * parameter, and up to 700 KiB of HDF5 around them.
 */
const rows = [
  {
    model: 'vgg16',
    folder: 'vgg16',
    withTop: ['64373286793e3c8b2b4e3219cbf3544b', 553_467_096],
    withoutTop: ['6d6bbae143d832006294945121d1f1fc', 58_889_256],
  },
  {
    model: 'vgg19',
    folder: 'vgg19',
    withTop: ['cbe5617147190e668d6c5d5026f83318', 574_710_816],
    withoutTop: ['253f8cb515780f3b799900260a226db6', 80_134_624],
  },
  {
    model: 'resnet50',
    folder: 'resnet',
    withTop: ['2cb95161c43110f7111970584f804107', 102_967_424],
    withoutTop: ['4d473c1dd8becc155b73f8504c6f6626', 94_765_736],
  },
  {
    model: 'inception_v3',
    folder: 'inception_v3',
    withTop: ['9a0d58056eeedaa3f26cb7ebd46da564', 96_112_376],
    withoutTop: ['bcbd6486424b2319ff4ef7d526e38f63', 87_910_968],
  },
] as const;

/** The MD5 decides what is right; the bound only keeps a disk from being filled, so it leaves a little room. */
function atMost(bytes: number): number {
  return Math.ceil(bytes * 1.02);
}

const catalogue: readonly WeightFile[] = rows.flatMap(({ model, folder, withTop, withoutTop }) =>
  [true, false].map((includeTop): WeightFile => {
    const file = `${model}_weights_tf_dim_ordering_tf_kernels${includeTop ? '' : '_notop'}.h5`;
    const [md5, bytes] = includeTop ? withTop : withoutTop;
    return { model, includeTop, file, url: `${STORAGE}/${folder}/${file}`, md5, maxBytes: atMost(bytes) };
  }),
);

/** Every weight file that can be had under the name `'imagenet'`. */
export function weightsCatalogue(): readonly WeightFile[] {
  return catalogue;
}

/** The names of ImageNet's 1000 classes: `{"0": ["n01440764", "tench"], ..}`. */
export const imagenetClassIndex: RemoteFile = {
  file: 'imagenet_class_index.json',
  url: 'https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json',
  md5: 'c2c37ea517e94d9795004a39431a14cb',
  maxBytes: atMost(35_363),
};
