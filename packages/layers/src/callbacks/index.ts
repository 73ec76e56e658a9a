export { EarlyStopping, type EarlyStoppingConfig } from './early-stopping.ts';
export { LearningRateScheduler } from './learning-rate-scheduler.ts';
export { Monitor, type MonitorConfig, type MonitorMode } from './monitor.ts';
export { ReduceLROnPlateau, type ReduceLROnPlateauConfig } from './reduce-lr-on-plateau.ts';
export { packNumbers, unpackNumbers } from './state.ts';
export { TerminateOnNaN, type TerminateOnNaNConfig } from './terminate-on-nan.ts';
