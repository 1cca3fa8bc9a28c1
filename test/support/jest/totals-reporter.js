const { writeFileSync } = require('node:fs');

/**
 * Ends every run with one plain line of totals, which people and scripts can read in a log. Writes the totals of each
 * file to the file named by TOTALS_FILE, from which `npm test` knows what to repeat.
 */
module.exports = class TotalsReporter {
  onRunComplete(_contexts, results) {
    const files = results.testResults.map((file) => ({
      path: file.testFilePath,
      passed: file.numPassingTests,
      failed: file.numFailingTests || (file.testExecError ? 1 : 0), // counts a file that does not load
      skipped: file.numPendingTests,
    }));
    if (process.env.TOTALS_FILE) writeFileSync(process.env.TOTALS_FILE, JSON.stringify(files));
    const sum = (of) => files.reduce((total, file) => total + file[of], 0);
    process.stdout.write(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped\n`);
  }
};
