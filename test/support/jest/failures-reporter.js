/** For suites that print their own report: prints only failures. */
module.exports = class FailuresReporter {
  onTestFileResult(_test, { failureMessage }) {
    if (failureMessage) process.stderr.write(`${failureMessage}\n`);
  }
};
