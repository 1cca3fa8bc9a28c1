/** Ends every run with one plain line of totals, which people and scripts can read in a log. */
module.exports = class TotalsReporter {
  onRunComplete(_contexts, results) {
    const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = results;
    const failed = numFailedTests || numFailedTestSuites; // counts a file that does not load
    process.stdout.write(`\n${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped\n`);
  }
};
