export { openBase, type Base, type OpenBaseOptions } from './open-base.ts';
