export { Random, shuffle, shuffledIndices } from '@convbase/base';
export { PictureError } from './decode/picture-error.ts';
export { decodeImage } from './decode/decode.ts';
export { decodingThreads } from './decode/threads.ts';
export { type Thumbnail, thumbnail } from './decode/thumbnail.ts';
export { type PictureFormat, sniffFormat } from './decode/sniff.ts';
export { type EncodedFormat, encodePicture } from './encode/encode.ts';
export { type GridOptions, pictureGrid } from './encode/grid.ts';
export { imageFolder, type ImageFolder, type ImageFolderOptions } from './folder/image-folder.ts';
export { type KeptPictures, PictureMemory } from './memory/picture-memory.ts';
export { isMnistFolder, type Mnist, mnistIdx } from './mnist/mnist-idx.ts';
export type { NpyArray, NpyData, NpyDtype } from './npy/format.ts';
export { NpyFile, readNpy } from './npy/read.ts';
export { reopenFinished } from './npy/reopen.ts';
export { NpyWriter, writeNpy } from './npy/write.ts';
export { split, type Split } from './order/split.ts';
export { takeEvenly } from './order/take.ts';
export type { Picture, PictureSize } from './picture/picture.ts';
export { labelsOf, type PictureSet, subset } from './picture/picture-set.ts';
export { resize, type ResizeMode, resizeModeNamed, resizeModes } from './resize/resize.ts';
export { encodeLabels, type LabelEncoding, labelEncoding } from './batches/labels.ts';
export {
  epochOrder,
  type PictureBatch,
  pictureBatches,
  type PictureBatchOptions,
  type PictureDataset,
  type Preprocess,
} from './batches/picture-batches.ts';
export * from './features/index.ts';
