import type { Dispatch } from '../commands/plan.ts';

/** One shader with one set of constants: what a pipeline is compiled from. */
export type ShaderVariant = Pick<Dispatch, 'shader' | 'constants'>;
