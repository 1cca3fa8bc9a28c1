import type { Event } from '../../../src/event/event';
import { givenCompleted, givenDeadLetters } from '../../support/admin';
import { ADMIN_TOKEN } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { givenDelivery, givenDestinationRow } from '../../support/deliveries';
import { call, getEvent } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { startProcess } from '../../support/processes/process';
import { countRows } from '../../support/rows';

const TENANT = 'killed';
const REQUEST = '{"payload":{"amount":10.10},"retry":true}';

describe('a process that is killed while it makes a revision', () => {
  let database: TestDatabase;
  beforeEach(async () => (database = await createTestDatabase()));
  afterEach(() => database.drop());

  const startApi = () => startProcess({ DATABASE_URL: database.url, APP_ROLE: 'api' });
  const revise = (url: string, { id }: Event) =>
    call<{ revision: number; retried: boolean }>(`${url}/v1/admin/events/${id}/revisions`, {
      method: 'POST',
      headers: { 'x-admin-token': ADMIN_TOKEN, 'content-type': 'application/json', 'idempotency-key': 'once' },
      body: REQUEST,
    });
  const givenFailedDelivery = async (): Promise<Event> => {
    const [event] = (await givenCompleted(database.pool, 1, TENANT)) as [Event];
    const destinationId = await givenDestinationRow(database.pool, { tenantId: TENANT });
    await givenDelivery(database.pool, { eventId: event.id, destinationId, tenantId: TENANT, status: 'FAILED' });
    return event;
  };
  const givenDeadLetter = async (): Promise<Event> =>
    ((await givenDeadLetters(database.pool, 1, { tenantId: TENANT })) as [Event])[0];

  it.each([
    ['of a dead letter, before it is stored', 'event_revisions', givenDeadLetter],
    ['of a dead letter, before it is dispatched', 'outbox', givenDeadLetter],
    ['of a failed delivery, before it is queued', 'delivery_queue', givenFailedDelivery],
  ])(
    'leaves nothing half done: %s',
    async (_what, table, given) => {
      const event = await given();
      const api = await startApi();
      const waiting = `pg_locks where not granted and relation = '${table}'::regclass`;
      const holder = await database.pool.connect();
      try {
        await holder.query(`begin; lock table ${table} in exclusive mode`);
        const cut = revise(api.url, event).catch((error: unknown) => error);
        await eventually(async () => expect(await countRows(database.pool, waiting)).toBe(1));
        await api.end('SIGKILL');
        await cut;
      } finally {
        await holder.query('commit');
        holder.release();
      }
      const idle = `pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`;
      await eventually(async () => expect(await countRows(database.pool, `${waiting}`)).toBe(0));
      await eventually(async () => expect(await countRows(database.pool, idle)).toBe(0));
      for (const nothing of [
        'event_revisions',
        `admin_audit where action = 'event.revise'`,
        'event_state where revision is not null',
        'deliveries where revision is not null',
        'outbox where closed_at is null',
        'delivery_queue',
      ])
        expect([nothing, await countRows(database.pool, nothing)]).toEqual([nothing, 0]);

      const other = await startApi();
      try {
        expect((await getEvent(other.url, TENANT, event.id)).body).toMatchObject({ status: 'DLQ', revisions: [] });
        for (let times = 1; times <= 2; times++)
          expect(await revise(other.url, event)).toMatchObject({ status: 201, body: { revision: 2, retried: true } });
        expect(await countRows(database.pool, 'event_revisions')).toBe(1);
      } finally {
        await other.end('SIGTERM');
      }
    },
    120_000,
  );
});
