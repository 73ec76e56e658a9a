export {
  type ClassScores,
  type Evaluation,
  evaluationOf,
  type Mistake,
  type MeanScores,
} from './evaluation.ts';
export { Html, html } from './html.ts';
export { type ReportData, writeReport } from './report.ts';
export type { ReportStage } from './stages-section.ts';
