// Node 22 runs StreamForge, but Jest loads Nest's ES modules only on a newer one.
require('./src/runtime/require-node').requireNode('The tests need', '24.9');

/** Two projects: `unit` needs nothing but Node; `servers` gets a private PostgreSQL, Redis and RabbitMQ for the run. */
const base = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        sourceMaps: 'inline',
        module: { type: 'commonjs' },
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
      },
    ],
  },
  moduleFileExtensions: ['ts', 'js', 'json', 'node'],
};

// Patience with a busy machine, no bound of anything: where speed is promised, a test expects it.
module.exports = {
  reporters: ['default', '<rootDir>/test/support/jest/totals-reporter.js'],
  testTimeout: 180_000,
  maxWorkers: 2,
  workerIdleMemoryLimit: '1500MB', // Jest keeps some memory of every file; without it, a worker ends at 4 GB
  projects: [
    { ...base, displayName: 'unit', testMatch: ['<rootDir>/test/unit/**/*.test.ts'] },
    {
      ...base,
      displayName: 'servers',
      testMatch: ['<rootDir>/test/{contract,integration,e2e}/**/*.test.ts'],
      globalSetup: '<rootDir>/test/support/jest/global-setup.ts',
      globalTeardown: '<rootDir>/test/support/jest/global-teardown.ts',
    },
  ],
};
