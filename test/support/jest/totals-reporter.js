/** Ends every run with one plain line of totals, for people and machines that read logs. */
module.exports = class TotalsReporter {
  onRunComplete(_contexts, results) {
    const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = results;
    const failed = numFailedTests || numFailedTestSuites; // a file that does not even load fails too
    process.stdout.write(`\n${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped\n`);
  }
};
