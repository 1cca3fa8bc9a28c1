/** For suites that print a report of their own: says nothing while all goes well. */
module.exports = class FailuresReporter {
  onTestFileResult(_test, { failureMessage }) {
    if (failureMessage) process.stderr.write(`${failureMessage}\n`);
  }
};
