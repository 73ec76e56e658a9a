export { elementWindows, grid1d, type ElementWindow } from './grid.ts';
export type { Ladder, Rung } from './ladder.ts';
