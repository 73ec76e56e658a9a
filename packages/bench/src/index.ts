export type { CaseSet } from './cases/case.ts';
export { compareResults, comparisonText, isRegression } from './results/compare.ts';
export { readFigures, readResults } from './results/schema.ts';
export { textLegend, textOf } from './results/text.ts';
export { writeResults, type ResultFiles } from './results/write.ts';
export { listCases, runBenchmarks } from './run.ts';
