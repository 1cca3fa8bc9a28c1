import { Logger } from '@nestjs/common';
import { inTransaction } from '../../../src/db/pool';
import { CLEARS_LATER_MS } from '../../../src/destinations/operator/operator-rules';
import { storeEvents } from '../../../src/ingest/store/store-batch.queries';
import { preparedOperatorEvent, type OperatorEvent } from '../../../src/operator-events/operator-event';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { eventually } from '../../support/eventually';
import { useGateway } from '../../support/fixtures/gateway';
import { admin, givenDestination } from '../../support/receivers/destinations';

const HOUR_MS = 3_600_000;
/** `HH:MM` in UTC. */
const timeOf = (ms: number): string => new Date(ms).toISOString().slice(11, 16);

describe('a destination of operator events', () => {
  const gateway = useGateway({ TENANT_AUTH: 'header' });
  beforeAll(() => {
    Logger.overrideLogger(false);
  });

  const tell = async (kind: string, more: Partial<OperatorEvent> = {}): Promise<string> => {
    const incident = uuidV7();
    const event: OperatorEvent = {
      ...{ kind, incident, state: 'raised', severity: 'warning', summary: 'made up', since: new Date().toISOString() },
      ...{ subject: null, tenantId: null, name: null, count: 1, figures: {}, link: '/console' },
      ...more,
    };
    await inTransaction(gateway.pool, (db) => storeEvents(db, [preparedOperatorEvent(event)]));
    return event.incident;
  };
  /** The incidents that a destination was told of. */
  const sentTo = (path: string): string[] =>
    gateway.receiver.received
      .filter((one) => one.path === path)
      .map(({ body }) => (JSON.parse(body) as { payload: { incident: string } }).payload.incident);
  const register = (path: string, more: object) =>
    givenDestination(gateway.url, { tenantId: 'streamforge', url: gateway.receiver.url + path, ...more });

  it('gets only what is critical in quiet hours, and the rest when they end', async () => {
    const nowMs = Date.now();
    const endMs = Math.floor(nowMs / 60_000) * 60_000 + 2 * HOUR_MS;
    const hours = { timeZone: 'UTC', from: timeOf(nowMs - HOUR_MS), to: timeOf(endMs) };
    for (const ordering of ['none', 'key'] as const) {
      const { id } = await register(`/quiet-${ordering}`, { quietHours: hours, ordering });
      const warning = await tell('quota.reached');
      await tell('quota.reached', { state: 'cleared', incident: warning });
      const critical = await tell('outbox.lagging', { severity: 'critical' });
      await eventually(() => expect(sentTo(`/quiet-${ordering}`)).toEqual([critical]));
      await eventually(async () => {
        const { rows } = await gateway.pool.query<{ due: string; status: string; attempts: number }>(
          `select coalesce(q.not_before, q.due_at)::text as due, v.status, v.attempts
             from delivery_queue q join delivery_status v using (event_id, destination_id, generation)
            where destination_id = $1 order by q.event_id`,
          [id],
        );
        expect(rows.map(({ due }) => Date.parse(due))).toEqual([endMs, endMs + CLEARS_LATER_MS]);
        const statuses = ordering === 'key' ? ['PENDING', 'PARKED'] : ['PENDING', 'PENDING'];
        expect(rows).toMatchObject(statuses.map((status) => ({ status, attempts: 0 })));
      });
      // They end: what was held is sent, first what was raised.
      await gateway.pool.query(
        `update delivery_queue set due_at = due_at - make_interval(secs => $2), not_before = not_before - make_interval(secs => $2)
          where destination_id = $1 and due_at < '9999-01-01'`,
        [id, (endMs - Date.now() + CLEARS_LATER_MS) / 1_000 - 2],
      );
      await gateway.pool.query(
        'update delivery_queue set not_before = now() where destination_id = $1 and not_before is not null',
        [id],
      );
      await eventually(() => expect(sentTo(`/quiet-${ordering}`)).toEqual([critical, warning, warning]), 60_000);
      await admin(gateway.url, 'DELETE', `/${id}`);
    }
  });

  it('gets nothing below its minimal severity, and what clears what it got', async () => {
    const { id } = await register('/grave', { minSeverity: 'error' });
    await tell('quota.reached');
    const failing = await tell('destination.failing', { severity: 'error' });
    await eventually(() => expect(sentTo('/grave')).toEqual([failing]));
    await tell('destination.recovered', { state: 'cleared', severity: 'info', incident: failing });
    await eventually(() => expect(sentTo('/grave')).toEqual([failing, failing]));
    const { rows } = await gateway.pool.query('select type from deliveries where destination_id = $1 order by type', [
      id,
    ]);
    expect(rows).toEqual([{ type: 'destination.failing' }, { type: 'destination.recovered' }]);
  });

  it('shows, changes and clears both', async () => {
    const quietHours = { timeZone: 'Europe/Berlin', weekdays: ['sat', 'sun'] };
    const { id } = await register('/shown', { minSeverity: 'warning', quietHours });
    const change = async (body: object) => (await admin<object>(gateway.url, 'PATCH', `/${id}`, body)).body;
    expect(await change({ description: 'x' })).toMatchObject({ minSeverity: 'warning', quietHours });
    expect(await change({ minSeverity: null })).toMatchObject({ minSeverity: null, quietHours });
    expect(await change({ quietHours: null })).toMatchObject({ minSeverity: null, quietHours: null });
  });

  it.each([
    ['acme', { minSeverity: 'error' }, 'for the tenant streamforge only'],
    ['acme', { quietHours: { timeZone: 'UTC', to: '07:00' } }, 'for the tenant streamforge only'],
    ['streamforge', { minSeverity: 'grave' }, 'minSeverity'],
    ['streamforge', { quietHours: { timeZone: 'Moon/Sea' } }, 'needs a timeZone of the IANA database'],
    ['streamforge', { quietHours: { timeZone: 'UTC' } }, 'must end'],
  ])('of the tenant %s refuses %j', async (tenantId, options, message) => {
    const { status, text } = await admin(gateway.url, 'POST', '', { tenantId, url: gateway.receiver.url, ...options });
    expect(status).toBe(400);
    expect(text).toContain(message);
  });
});
