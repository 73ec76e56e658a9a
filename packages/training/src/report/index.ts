export {
  type ClassScores,
  type Evaluation,
  evaluationOf,
  type Mistake,
  type MeanScores,
} from './evaluation.ts';
export { type ReportData, type ReportStage, writeReport } from './report.ts';
