export * from './logs/index.ts';
export * from './model-checkpoint/index.ts';
export * from './plots/index.ts';
export * from './prefix/index.ts';
export * from './recipe/index.ts';
export * from './report/index.ts';
export * from './tensorboard/index.ts';
