import { tenantOfEventId } from '../../../src/ingest/tenant-of-event-id';
import { useDatabase } from '../../support/fixtures/database';
import { givenEvents } from '../../support/rows';

const MOST_TENANTS = 5_000;

describe('the tenant of an eventId', () => {
  const database = useDatabase();

  it('is found among the tenants, and is refused when several have it or when there are too many to search', async () => {
    expect(await tenantOfEventId(database.pool, 'one')).toBeUndefined();
    await givenEvents(database.pool, 1, { eventId: 'one', source: 'a' }, 'zebra');
    expect(await tenantOfEventId(database.pool, 'one')).toBe('zebra');
    expect(await tenantOfEventId(database.pool, 'one', 'b')).toBeUndefined();
    await givenEvents(database.pool, 1, { eventId: 'one', source: 'b' }, 'aardvark');
    await expect(tenantOfEventId(database.pool, 'one')).rejects.toMatchObject({
      code: 'event-id-ambiguous',
      extras: { members: { tenants: ['aardvark', 'zebra'] } },
    });
    expect(await tenantOfEventId(database.pool, 'one', 'b')).toBe('aardvark');

    await database.pool.query(
      `insert into events (id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject,
                           partition_key, source, schema_version, spec_version, correlation_id, hash, payload)
       select gen_random_uuid(), g, now(), now(), 1, 'm-' || g, 'e' || g, 't', 's', 's', 'api', '1', '1', 'c', '\\x00', '{}'
         from generate_series(1, $1) g`,
      [MOST_TENANTS - 3],
    );
    expect(await tenantOfEventId(database.pool, 'e7')).toBe('m-7');
    await givenEvents(database.pool, 1, {}, 'one-more');
    await expect(tenantOfEventId(database.pool, 'e7')).rejects.toMatchObject({ code: 'tenant-required' });
  });
});
