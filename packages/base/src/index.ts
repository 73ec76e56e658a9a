export { ConvbaseError, type ErrorDetails } from './errors.ts';
export { parseJson } from './json.ts';
export { visible, visibleJson, visibleLine } from './visible.ts';
