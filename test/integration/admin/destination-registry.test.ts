import type { Pool } from 'pg';
import { MOST_AGE_MS } from '../../../src/db/fresh-copy';
import { DestinationRegistry } from '../../../src/destinations/destination-registry';
import {
  deleteDestination,
  disableDestination,
  insertDestination,
} from '../../../src/destinations/destinations.queries';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { eventually } from '../../support/eventually';
import { PLAIN_DESTINATION } from '../../support/receivers/destinations';

/** For the query itself, on a busy machine. */
const SLACK_MS = 2_000;
const EVENT = Buffer.from('{}');

describe('the directory of destinations', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const insert = (tenantId: string, eventTypes: string[]) =>
    insertDestination(database.pool, {
      ...PLAIN_DESTINATION,
      id: uuidV7(),
      tenantId,
      url: 'https://example.com/',
      eventTypes,
      enabled: true,
      description: '',
      timeoutMs: 1_000,
      maxInFlight: 1,
      secret: Buffer.alloc(1),
    });
  const knows = async (registry: DestinationRegistry, tenantId: string, type: string): Promise<boolean> =>
    (await registry.current()).has({ tenantId, type, body: EVENT });

  it('shows the changes of other processes within half a second', async () => {
    const registry = new DestinationRegistry(database.pool);
    expect(await knows(registry, 'a', 'order.paid')).toBe(false);
    const { id, revision } = await insert('a', ['order.*', 'exact']);
    const startedMs = Date.now();
    await eventually(async () => expect(await knows(registry, 'a', 'order.paid')).toBe(true), MOST_AGE_MS + SLACK_MS);
    expect(Date.now() - startedMs).toBeLessThan(MOST_AGE_MS + SLACK_MS);
    expect(await knows(registry, 'a', 'exact')).toBe(true);
    expect(await knows(registry, 'a', 'exactly')).toBe(false);
    expect(await knows(registry, 'b', 'order.paid')).toBe(false);
    await disableDestination(database.pool, id, revision, 'gone');
    registry.invalidate();
    expect(await knows(registry, 'a', 'order.paid')).toBe(false);
    await deleteDestination(database.pool, id);
  });

  it('is never older than half a second when it is used', async () => {
    const registry = new DestinationRegistry(database.pool);
    await registry.current();
    await insert('late', ['*']);
    await new Promise((resolve) => setTimeout(resolve, MOST_AGE_MS));
    expect(await knows(registry, 'late', 'any')).toBe(true);
  });

  it('costs an event of a tenant without destinations one map look-up, and five small queries a second', async () => {
    let queries = 0;
    const counting = { query: (...args: Parameters<Pool['query']>) => ((queries += 1), database.pool.query(...args)) };
    const registry = new DestinationRegistry(counting as unknown as Pool);
    await registry.current();
    const startedMs = performance.now();
    let batches = 0;
    for (; performance.now() - startedMs < 1_000; batches++) {
      const directory = await registry.current();
      for (let i = 0; i < 100; i++) directory.has({ tenantId: 'nobody', type: 'order.paid', body: EVENT });
      if (batches % 100 === 0) await new Promise(setImmediate);
    }
    expect(queries).toBeLessThanOrEqual(8);
    // Look-ups per second; tens of millions on an idle machine.
    expect(batches * 100).toBeGreaterThan(500_000);
  });
});
