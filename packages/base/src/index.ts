export { ConvbaseError, type ErrorDetails } from './errors.ts';
