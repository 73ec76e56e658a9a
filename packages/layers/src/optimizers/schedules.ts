/** A rule that makes the learning rate of a step (counted from 0) of nothing but its number. */
export interface LearningRateSchedule {
  /** The class in Keras' files. */
  readonly className: string;
  at(step: number): number;
  /** Keras' configuration. */
  config(): Record<string, unknown>;
}
