import { globSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

const SRC = path.resolve(__dirname, '../../../src');
/** An entry of the audit trail has two keys. Its id is new, so it is in no dump. */
const HAS_TWO_KEYS = ['admin/audit/audit.queries.ts'];

/**
 * While pg_restore fills tables, they have no unique keys yet. A statement that names its key fails then, and is tried
 * again. One that names none would insert a second row, and the key could not be made at the end of the restore.
 */
it('names its key wherever a statement does nothing on a conflict', () => {
  const found = globSync('**/*.ts', { cwd: SRC }).filter((file) =>
    /on conflict\s+do nothing/.test(readFileSync(path.join(SRC, file), 'utf8')),
  );
  expect(found).toEqual(HAS_TWO_KEYS);
});
