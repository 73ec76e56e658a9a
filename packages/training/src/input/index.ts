export { describeInput, inputReport, type InputPlace, type InputReport } from './input-report.ts';
