const { projects } = require('../../jest.config');

/** Runs run.ts alone, with servers that every changed tree shares, and no report but its own. */
module.exports = {
  ...projects.find(({ displayName }) => displayName === 'servers'),
  rootDir: '../..',
  testMatch: ['<rootDir>/test/sensitivity/run.ts'],
  reporters: ['<rootDir>/test/support/jest/failures-reporter.js'],
};
