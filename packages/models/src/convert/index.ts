export { convertModel, type ConvertOptions } from './convert-model.ts';
