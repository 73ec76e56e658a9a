export { ConvbaseError, type ErrorDetails } from './errors.ts';
export { issueLines } from './issues.ts';
export { parseJson } from './json.ts';
export { escapedJson, visible, visibleJson, visibleLine } from './visible.ts';
export { warnOnce } from './warn.ts';
