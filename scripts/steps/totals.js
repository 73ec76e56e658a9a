import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The part of vitest's JSON report that is read here.
 *
 * @typedef {{ fullName: string, status: string }} Assertion
 * @typedef {{ name: string, status: string, message?: string, assertionResults: Assertion[] }} FileResult
 * @typedef {{ success: boolean, testResults: FileResult[] }} Report
 */

/**
 * @typedef {object} Totals
 * @property {number} passed
 * @property {string[]} failed names
 * @property {string[]} skipped names
 */

/**
 * Adds up vitest's reports. A test file that could not be loaded counts as one failure, and so does a package whose
 * run went wrong without any test to blame or left no report at all.
 *
 * @param {ReadonlyMap<string, Report | undefined>} reports one for each package
 * @returns {Totals}
 */
export function addUp(reports) {
  let passed = 0;
  /** @type {string[]} */ const failed = [];
  /** @type {string[]} */ const skipped = [];
  for (const [name, report] of reports) {
    const failedBefore = failed.length;
    if (report === undefined) {
      failed.push(`${name}: the tests did not run to the end`);
      continue;
    }
    for (const file of report.testResults) {
      if (file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed')) {
        failed.push(`${name}: ${file.name}: ${firstLine(file.message)}`);
      }
      for (const { fullName, status } of file.assertionResults) {
        if (status === 'passed') passed++;
        else if (status === 'failed') failed.push(`${name}: ${fullName}`);
        else skipped.push(`${name}: ${fullName}`);
      }
    }
    if (!report.success && failed.length === failedBefore)
      failed.push(`${name}: an error outside of the tests`);
  }
  return { passed, failed, skipped };
}

/** @param {string | undefined} text */
function firstLine(text) {
  return text?.split('\n')[0] || 'could not be loaded';
}

/**
 * The one line that tells how it went; skipped tests are listed by name above it.
 *
 * @param {Totals} totals
 * @returns {string}
 */
export function summaryLine({ passed, failed }) {
  return `${passed} passed, ${failed.length} failed`;
}

/**
 * Reads the reports that vitest.shared.ts has the packages write.
 *
 * @param {string} folder
 * @param {readonly string[]} names the packages that were to run
 * @returns {Promise<Map<string, Report | undefined>>}
 */
export async function readReports(folder, names) {
  const files = new Set(await readdir(folder));
  /** @type {Map<string, Report | undefined>} */ const reports = new Map();
  for (const name of names) {
    const file = `${name}.json`;
    reports.set(name, files.has(file) ? JSON.parse(await readFile(join(folder, file), 'utf8')) : undefined);
  }
  return reports;
}
