import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import * as path from 'node:path';

const ROOT = path.resolve(__dirname, '../../..');
/** What the bench borrows from the tests, with its imports. */
const BORROWED = ['servers', 'pgbouncer', 'process-tree', 'free-port'].map(
  (name) => `test/support/processes/${name}.ts`,
);

describe('files that Node.js runs without a compiler', () => {
  it.each([...globSync('bench/**/*.ts', { cwd: ROOT }), ...BORROWED, 'test/support/eventually.ts'])(
    '%s uses only syntax that can be erased',
    (file) => {
      expect(() => stripTypeScriptTypes(readFileSync(path.join(ROOT, file), 'utf8'))).not.toThrow();
    },
  );
});
