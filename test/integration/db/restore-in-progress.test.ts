import type { PoolClient } from 'pg';
import { readAccessVersion } from '../../../src/access/identity/directory.queries';
import { readIncarnation } from '../../../src/db/history/incarnation.queries';
import type { Db } from '../../../src/db/pool';
import { readDestinationsVersion } from '../../../src/destinations/destinations.queries';
import { readPlace } from '../../../src/installation/installation-home.queries';
import { readStoredKeys } from '../../../src/installation/installation-key.queries';
import { readSourcesVersion } from '../../../src/sources/directory/sources.queries';
import { useDatabase } from '../../support/fixtures/database';

type Read = (db: Db) => Promise<unknown>;

/** pg_restore makes all tables, then fills them one after the other, then makes their keys. */
describe('a database that is being restored', () => {
  const database = useDatabase();

  const refusedAfter = async (sql: string, read: Read): Promise<void> => {
    const client: PoolClient = await database.pool.connect();
    try {
      await client.query('begin');
      await client.query(sql);
      await expect(read(client)).rejects.toMatchObject({ code: '57P03' });
      await client.query('rollback');
      await expect(read(client)).resolves.toBeDefined();
    } finally {
      client.release();
    }
  };

  it.each<[table: string, version: Read]>([
    ['tenants', readAccessVersion],
    ['api_keys', readAccessVersion],
    ['operators', readAccessVersion],
    ['sources', readSourcesVersion],
    ['destinations', readDestinationsVersion],
  ])(
    'has no version of its %s before they are all there, so that nobody takes some for all',
    async (table, version) => {
      await refusedAfter(`alter table ${table} drop constraint ${table}_pkey cascade`, version);
    },
  );

  it.each<[table: string, read: Read]>([
    ['access_version', readAccessVersion],
    ['sources_version', readSourcesVersion],
    ['destinations_version', readDestinationsVersion],
    ['installation', readIncarnation],
    ['installation', readPlace],
    ['installation', readStoredKeys],
  ])('is like one that is starting while %s is empty', async (table, read) => {
    await refusedAfter(`delete from ${table}`, read);
  });
});
