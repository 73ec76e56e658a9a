/** What a kernel belongs to in a step of training; a prediction is all forward. */
export type Phase = 'forward' | 'backward' | 'update';

/** For whom a kernel runs, for profiles. */
export interface Label {
  /** The layer, or what stands in its place: `loss`, `optimizer`; empty for what belongs to no layer. */
  readonly layer: string;
  readonly phase: Phase;
}

/** Of kernels that nobody labelled: uploads, metrics. */
export const noLayer: Label = { layer: '', phase: 'forward' };
