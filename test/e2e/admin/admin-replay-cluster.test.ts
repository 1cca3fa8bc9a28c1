import { admin, type ReplayProgress, type ReplayStarted } from '../../support/admin';
import { allCompleted, TestCluster } from '../../support/processes/e2e-cluster';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { getEvent, postStream, usageOf } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import type { TestProcess } from '../../support/processes/process';

const EVENTS = 2_000;
const FRESH = 400;
/** Entries that wait in the outbox leave room for so few that a replay goes in small steps. */
const WAITING = 396;

describe('a replay of 2000 events by processes that are killed', () => {
  let cluster: TestCluster;
  let api: TestProcess;
  let publishers: TestProcess[];
  let startPublisher: () => Promise<TestProcess>;
  beforeAll(async () => {
    cluster = await TestCluster.create();
    const env = { OUTBOX_BATCH_SIZE: '500', RABBITMQ_PREFETCH: '200', WORKER_BATCH_SIZE: '50' };
    const worker = cluster.start('worker', env);
    startPublisher = () => cluster.start('publisher', env);
    [api, ...publishers] = await Promise.all([cluster.start('api', env), startPublisher(), startPublisher()]);
    await worker;
  }, 120_000);
  afterAll(() => cluster.drop());

  const start = async (mode: string): Promise<ReplayStarted> => {
    const filter = { tenantId: 'replayed', status: 'COMPLETED', to, limit: 5_000 };
    return (await admin<ReplayStarted>(api.url, 'replay', { ...filter, mode })).body;
  };
  const progress = async (id: string) => (await admin<ReplayProgress>(api.url, `replays/${id}`)).body;
  const sumOf = (counts: Record<string, number>) => Object.values(counts).reduce((sum, n) => sum + n, 0);
  const count = async (sql: string) => (await cluster.pool.query<{ n: number }>(sql)).rows[0]?.n;
  let to: string;

  it('I7, I12: reprocesses with exactly one more effect each and keeps the history, while new events arrive', async () => {
    const events = syntheticEvents(EVENTS, 'replayed');
    await postStream(api.url, 'replayed', toNdjson(events));
    await allCompleted(cluster.pool, 'replayed', EVENTS);
    to = new Date(Date.now() + 1).toISOString();

    await cluster.pool.query(
      `insert into outbox (event_id, destination, next_attempt_at)
       select gen_random_uuid(), 'main', now() + interval '1 hour' from generate_series(1, ${WAITING})`,
    );
    const { replayId, matched } = await start('reprocess');
    expect(matched).toBe(EVENTS);
    const fresh = postStream(api.url, 'replayed', toNdjson(syntheticEvents(FRESH, 'fresh')));
    await eventually(async () => {
      const { progress: counts } = await progress(replayId);
      expect(sumOf(counts)).toBe(EVENTS);
      expect(counts.dispatched! + counts.completed!).toBeGreaterThan(20);
    });
    const killedAt = (await progress(replayId)).progress;
    expect(killedAt.pending).toBeGreaterThan(0);
    // The one that leads is among them; what they had claimed waits until its lease ends.
    await Promise.all(publishers.map((publisher) => publisher.end('SIGKILL')));
    await startPublisher();
    await cluster.pool.query(`delete from outbox where next_attempt_at > now() + interval '30 minutes'`);
    const read = await getEvent(api.url, 'replayed', events[7]!.eventId);
    expect(read.status).toBe(200);
    await eventually(async () => {
      const { status, progress: counts } = await progress(replayId);
      expect(sumOf(counts)).toBe(EVENTS);
      expect([status, counts.completed, counts.skipped]).toEqual(['DONE', EVENTS, 0]);
    }, 40_000);

    expect((await fresh).body.summary.accepted).toBe(FRESH);
    await allCompleted(cluster.pool, 'replayed', EVENTS + FRESH);
    expect(await usageOf(api.url, 'replayed')).toBe(2 * EVENTS + FRESH);
    expect(
      await count(`select count(*)::int as n from (
        select a.event_id from processing_attempts a join events e on e.id = a.event_id
         where e.tenant_id = 'replayed' and a.status = 'SUCCESS'
         group by a.event_id having array_agg(generation order by generation) = '{1,2}') twice`),
    ).toBe(EVENTS);
  });

  it('republishes the messages without running a handler again, and all events stay COMPLETED', async () => {
    const before = await usageOf(api.url, 'replayed');
    const { replayId, matched } = await start('republish');
    expect(matched).toBe(EVENTS);
    await eventually(async () => {
      const { status, progress: counts } = await progress(replayId);
      expect([status, counts.completed]).toEqual(['DONE', EVENTS]);
    }, 40_000);
    expect(
      await count(
        `select count(*)::int as n from outbox where dispatch_no = 3 and generation = 2 and status = 'PUBLISHED'`,
      ),
    ).toBe(EVENTS);
    // What a second effect would need comes before this event, which takes the same way.
    await postStream(api.url, 'after', toNdjson(syntheticEvents(1, 'after')));
    await allCompleted(cluster.pool, 'after', 1);
    await allCompleted(cluster.pool, 'replayed', EVENTS + FRESH);
    expect(await usageOf(api.url, 'replayed')).toBe(before);
    expect(await count(`select count(*)::int as n from event_state where status <> 'COMPLETED'`)).toBe(0);
  });
});
