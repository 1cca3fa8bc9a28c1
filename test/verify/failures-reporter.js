/** Says nothing while all goes well: the fault suite speaks for itself, and ends with its verdict. */
module.exports = class FailuresReporter {
  onTestFileResult(_test, { failureMessage }) {
    if (failureMessage) process.stderr.write(`${failureMessage}\n`);
  }
};
