export { ConvbaseError, type ErrorDetails } from './errors.ts';
export { issueLines } from './issues.ts';
export { parseJson } from './json.ts';
export { Random } from './order/random.ts';
export { shuffle, shuffledIndices } from './order/shuffle.ts';
export { escapedJson, visible, visibleJson, visibleLine } from './visible.ts';
export { warnOnce } from './warn.ts';
