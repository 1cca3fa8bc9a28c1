const { projects } = require('../../jest.config');

/** Runs run.ts alone: no shared servers, and no report but its own. */
module.exports = {
  ...projects.find(({ displayName }) => displayName === 'unit'),
  rootDir: '../..',
  testMatch: ['<rootDir>/test/verify/run.ts'],
  reporters: ['<rootDir>/test/support/jest/failures-reporter.js'],
};
