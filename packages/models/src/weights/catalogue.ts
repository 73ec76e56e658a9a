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
}

/** ImageNet weights of one application, with or without its classifying top. */
export interface WeightFile extends RemoteFile {
  /** Keras' module name. */
  readonly model: 'vgg16' | 'vgg19' | 'resnet50' | 'inception_v3';
  readonly includeTop: boolean;
}

/** Model and folder, MD5 with top, MD5 without. */
const rows = [
  ['vgg16', 'vgg16', '64373286793e3c8b2b4e3219cbf3544b', '6d6bbae143d832006294945121d1f1fc'],
  ['vgg19', 'vgg19', 'cbe5617147190e668d6c5d5026f83318', '253f8cb515780f3b799900260a226db6'],
  ['resnet50', 'resnet', '2cb95161c43110f7111970584f804107', '4d473c1dd8becc155b73f8504c6f6626'],
  ['inception_v3', 'inception_v3', '9a0d58056eeedaa3f26cb7ebd46da564', 'bcbd6486424b2319ff4ef7d526e38f63'],
] as const;

const catalogue: readonly WeightFile[] = rows.flatMap(([model, folder, withTop, withoutTop]) =>
  [true, false].map((includeTop): WeightFile => {
    const file = `${model}_weights_tf_dim_ordering_tf_kernels${includeTop ? '' : '_notop'}.h5`;
    return {
      model,
      includeTop,
      file,
      url: `${STORAGE}/${folder}/${file}`,
      md5: includeTop ? withTop : withoutTop,
    };
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
};
