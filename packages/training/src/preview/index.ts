export { layerListUsage, parseLayerList } from './layer-list.ts';
export { augmentationPreview, type PreviewOptions } from './preview.ts';
