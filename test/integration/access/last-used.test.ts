import { Logger } from '@nestjs/common';
import { LastUsed } from '../../../src/access/last-used';
import { createPool } from '../../../src/db/pool';

describe('the last uses of keys', () => {
  it('do not keep a process from shutting down while PostgreSQL is down', async () => {
    Logger.overrideLogger(false);
    const pool = createPool('postgres://nobody:secret@127.0.0.1:1/none', 'last-used test');
    const lastUsed = new LastUsed(pool);
    lastUsed.note('key', 'Zz0000000000');
    lastUsed.note('operator', 'Zz0000000001');
    await expect(lastUsed.beforeApplicationShutdown()).resolves.toBeUndefined();
    await pool.end();
  });
});
