export { run } from './run.ts';
export { askToEnd, leaveAfter } from './terminal/interrupt.ts';
