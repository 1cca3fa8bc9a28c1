/**
 * Usage: node --require scripts/run-typescript.cjs test/….ts
 * Compiles the TypeScript of test/ and src/ when it is required. Node.js can strip types, but not handle decorators,
 * parameter properties and imports without an extension.
 */
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { transformSync } = require('@swc/core');

const options = {
  sourceMaps: 'inline',
  module: { type: 'commonjs' },
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
};

Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), { ...options, filename });
  module._compile(code, filename);
};

module.exports = { compilerOptions: options };
