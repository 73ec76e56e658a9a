export type { CaseSet } from './cases/case.ts';
export { contenders } from './contenders/contenders.ts';
export { compareResults, comparisonText, isRegression, type Comparison } from './results/compare.ts';
export { markdownOf } from './results/markdown.ts';
export { readFigures, readResults, type Figure, type Results, type Row } from './results/schema.ts';
export { textOf } from './results/text.ts';
export { measuredOn } from './results/words.ts';
export { writeResults, type ResultFiles } from './results/write.ts';
export { listCases, runBenchmarks, type BenchOptions } from './run.ts';
