import { admin } from '../../support/admin';
import { givenDelivery, givenTenantWithDestination } from '../../support/deliveries';
import { useApp } from '../../support/fixtures/app';
import { givenEvents } from '../../support/rows';

interface Backlog {
  stages: { stage: string; waiting: number; oldestDueSeconds: number | null }[];
  countedUpTo: number;
}

describe('GET /v1/admin/backlog', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const backlog = async () => (await admin<Backlog>(api.url, 'backlog')).body;

  it('shows how much waits in each stage, and for how long the oldest is due', async () => {
    expect(await backlog()).toEqual({
      stages: [
        { stage: 'publish', waiting: 0, oldestDueSeconds: null },
        { stage: 'retry', waiting: 0, oldestDueSeconds: null },
        { stage: 'deliver', waiting: 0, oldestDueSeconds: null },
      ],
      countedUpTo: 100_000,
    });
    const { tenantId, destinationId } = await givenTenantWithDestination(api.pool);
    const events = await givenEvents(api.pool, 3, {}, tenantId);
    for (const { id: eventId } of events) await givenDelivery(api.pool, { eventId, destinationId, tenantId });
    const ids = events.map(({ id }) => id);
    await api.pool.query(
      `insert into retry_schedule (event_id, dispatch_no, generation, due_at)
       select id, 2, 1, now() + n * interval '1 hour' from unnest($1::uuid[]) with ordinality t (id, n)`,
      [ids],
    );
    await api.pool.query(`update delivery_queue set due_at = now() + interval '1 hour'`);
    const [publish, retry, deliver] = (await backlog()).stages;
    expect(publish).toEqual({ stage: 'publish', waiting: 3, oldestDueSeconds: expect.any(Number) as number });
    expect([retry, deliver]).toEqual([
      { stage: 'retry', waiting: 3, oldestDueSeconds: null },
      { stage: 'deliver', waiting: 3, oldestDueSeconds: null },
    ]);
    await api.pool.query(`update retry_schedule set due_at = now() - interval '1 hour' where event_id = $1`, [ids[0]]);
    await api.pool.query(`update delivery_queue set due_at = now() - interval '2 hours' where event_id = $1`, [ids[1]]);
    const later = (await backlog()).stages;
    expect(later.map(({ oldestDueSeconds }) => Math.floor((oldestDueSeconds ?? -1) / 3_600))).toEqual([0, 1, 2]);
  });
});
