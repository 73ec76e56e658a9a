export * from './applications/index.ts';
export * from './base/index.ts';
export * from './classifier/index.ts';
export * from './formats/index.ts';
export * from './graph/index.ts';
export * from './hash/index.ts';
export * from './verify/index.ts';
export * from './weights/index.ts';
