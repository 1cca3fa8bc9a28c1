import { tenantOfEventId } from '../../../src/ingest/tenant-of-event-id';
import { useDatabase } from '../../support/fixtures/database';
import { givenEvents } from '../../support/rows';

const MOST_TENANTS = 5_000;

describe('the tenant of an eventId', () => {
  const database = useDatabase();
  const tenantOf = (eventId: string, source?: string, tenantIds: string[] | null = null) =>
    tenantOfEventId(database.pool, { eventId, source }, tenantIds);

  it('is found among the tenants, and is refused when several have it or when there are too many to search', async () => {
    expect(await tenantOf('one')).toBeUndefined();
    await givenEvents(database.pool, 1, { eventId: 'one', source: 'a' }, 'zebra');
    expect(await tenantOf('one')).toBe('zebra');
    expect(await tenantOf('one', 'b')).toBeUndefined();
    await givenEvents(database.pool, 1, { eventId: 'one', source: 'b' }, 'aardvark');
    await expect(tenantOf('one')).rejects.toMatchObject({
      code: 'event-id-ambiguous',
      extras: { members: { tenants: ['aardvark', 'zebra'] } },
    });
    expect(await tenantOf('one', 'b')).toBe('aardvark');

    await database.pool.query(
      `insert into events (id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject,
                           partition_key, source, schema_version, spec_version, correlation_id, hash, payload)
       select gen_random_uuid(), g, now(), now(), 1, 'm-' || g, 'e' || g, 't', 's', 's', 'api', '1', '1', 'c', '\\x00', '{}'
         from generate_series(1, $1) g`,
      [MOST_TENANTS - 3],
    );
    expect(await tenantOf('e7')).toBe('m-7');
    await givenEvents(database.pool, 1, {}, 'one-more');
    await expect(tenantOf('e7')).rejects.toMatchObject({ code: 'tenant-required' });
  });

  it('is found among the tenants of an operator only', async () => {
    await givenEvents(database.pool, 1, { eventId: 'two', source: 'a' }, 'blue');
    await givenEvents(database.pool, 1, { eventId: 'two', source: 'b' }, 'green');
    await givenEvents(database.pool, 1, { eventId: 'two', source: 'b' }, 'red');
    expect(await tenantOf('two', undefined, ['blue', 'nobody'])).toBe('blue');
    expect(await tenantOf('two', 'b', ['blue', 'green'])).toBe('green');
    expect(await tenantOf('two', undefined, [])).toBeUndefined();
    await expect(tenantOf('two', undefined, ['red', 'blue', 'nobody'])).rejects.toMatchObject({
      code: 'event-id-ambiguous',
      extras: { members: { tenants: ['blue', 'red'] } },
    });
  });
});
