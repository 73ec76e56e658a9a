export { caseLine, caseText, tolerances, type CaseResult } from './judge.ts';
export { readGoldenFile, type GoldenFile } from './golden-file.ts';
export { verifyFile, type VerifiedCase, type VerifyContext } from './verify-file.ts';
export { verifyFolder, type VerifyOptions, type VerifyReport } from './verify-folder.ts';
