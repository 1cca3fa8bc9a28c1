import { atTheEnd, closeAll } from '../../support/broker/closing';
import { openProxy } from '../../support/broker/proxy';
import { openRawChannel, openVhost } from '../../support/broker/rabbit-queues';
import type { TcpProxy } from '../../support/broker/tcp-proxy';
import { getEvent, postEvent, type AcceptedAnswer, type Answer } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import {
  detachStandby,
  dumped,
  OwnServer,
  promote,
  redisCommand,
  rowsOf,
} from '../../support/processes/e2e-own-servers';
import { startProcess, type TestProcess } from '../../support/processes/process';

const TENANT = 'acme';
const SLOWLY_MS = 60_000;
const SAFETY = 'events.safety';

/** As a producer keeps them: with an own id, an explicit key, or neither. */
interface Sent {
  body: string;
  headers: Record<string, string>;
}
const sent = (name: string, count: number): Sent[] =>
  Array.from({ length: count }, (_, i) => {
    const ownId: object = i % 3 === 0 ? { eventId: `${name}-${i}` } : {};
    const headers: Record<string, string> = i % 3 === 1 ? { 'x-idempotency-key': `${name}-${i}` } : {};
    return { body: JSON.stringify(eventBody({ subject: `${name} ${i}`, ...ownId })), headers };
  });

/** Redis, RabbitMQ and the processes keep what they remember; only the database goes back. */
describe('a database that goes back in time', () => {
  let primary: OwnServer;
  let standby: OwnServer;
  let redis: OwnServer;
  let proxy: TcpProxy;
  let api: TestProcess;
  let env: Record<string, string>;
  beforeAll(async () => {
    [primary, redis] = await Promise.all([OwnServer.postgres(), OwnServer.redis()]);
    standby = await OwnServer.standbyOf(primary);
    proxy = await openProxy(primary.url);
    const vhost = await openVhost();
    env = { DATABASE_URL: proxy.url, REDIS_URL: redis.url, RABBITMQ_URL: vhost.url };
    api = await startProcess({ ...env, APP_ROLE: 'api,publisher' });
  });
  afterAll(async () => {
    await api?.end('SIGKILL');
    await closeAll();
    await Promise.all([primary, standby, redis].map((server) => server?.stop()));
  });

  /** Sends again what is answered 503, as the answer asks for. */
  const accepted = ({ body, headers }: Sent): Promise<Answer<AcceptedAnswer>> =>
    eventually(async () => {
      const answer = await postEvent(api.url, TENANT, body, headers);
      expect(answer.status).toBeLessThan(500);
      return answer;
    }, SLOWLY_MS);
  const sendAll = (events: readonly Sent[]) => Promise.all(events.map(accepted));
  const statuses = (answers: readonly Answer<AcceptedAnswer>[]) => answers.map(({ status }) => status);
  const found = async (answers: readonly Answer<AcceptedAnswer>[]) =>
    (await Promise.all(answers.map(({ body }) => getEvent(api.url, TENANT, body.id)))).map(({ status }) => status);
  const all = (events: readonly Sent[], status: number): number[] => events.map(() => status);
  /** Until each is in Redis: a Redis that is slow for a moment is told nothing, and a duplicate is remembered too. */
  const remembered = (events: readonly Sent[], total: number): Promise<void> =>
    eventually(async () => {
      expect(statuses(await sendAll(events))).toEqual(all(events, 200));
      const keys = (await redisCommand(redis.url, 'keys', 'streamforge:*:key:*')).split(',').filter(Boolean);
      expect(keys).toHaveLength(total);
    }, SLOWLY_MS);
  const published = (count: number) =>
    eventually(async () => {
      const [row] = await rowsOf<{ count: number }>(
        proxy.url,
        `select count(*)::int as count from outbox where status = 'PUBLISHED'`,
      );
      expect(row?.count).toBe(count);
    }, SLOWLY_MS);

  const before = sent('before', 6);
  const lost = sent('lost', 22);

  it('I2: stores the events again that an asynchronous standby lacks, and calls none of them a duplicate', async () => {
    expect(statuses(await sendAll(before))).toEqual(all(before, 202));
    await published(before.length);
    await eventually(async () => {
      const [row] = await rowsOf<{ lag: number }>(
        primary.url,
        'select (pg_current_wal_lsn() - replay_lsn)::int as lag from pg_stat_replication',
      );
      expect(row?.lag).toBe(0);
    }, SLOWLY_MS);
    await detachStandby(standby.url);
    const first = await sendAll(lost);
    expect(statuses(first)).toEqual(all(lost, 202));
    await published(before.length + lost.length);
    await remembered([...before, ...lost], before.length + lost.length);

    await primary.kill();
    await promote(standby.url);
    proxy.redirect(standby.url);
    const again = await sendAll(lost);
    expect(statuses(again)).toEqual(all(lost, 202));
    expect(again.map(({ body }) => body.id).filter((id) => first.some(({ body }) => body.id === id))).toEqual([]);
    expect(await found(again)).toEqual(all(lost, 200));

    const others = await sendAll(before);
    expect(statuses(others)).toEqual(all(before, 200));
    expect(await found(others)).toEqual(all(before, 200));
    expect((await sendAll(lost)).map(({ body }) => body.id)).toEqual(again.map(({ body }) => body.id));
  });

  it('I7: attempts, meters and delivers nothing of the events that it has forgotten, and parks their messages', async () => {
    await published(before.length + lost.length); // the second time
    const channel = await openRawChannel(env.RABBITMQ_URL as string);
    const worker = await startProcess({ ...env, APP_ROLE: 'worker' });
    atTheEnd(() => worker.end('SIGKILL'));
    await eventually(async () => {
      expect((await channel.checkQueue(SAFETY)).messageCount).toBe(lost.length);
      const rows = await rowsOf<{ what: string; count: number }>(
        proxy.url,
        `select 'attempts' as what, count(*)::int as count from processing_attempts
         union all select 'of stored events', count(*)::int from processing_attempts a join events e on e.id = a.event_id
         union all select 'metered', sum(events)::int from usage_daily order by 1`,
      );
      const count = before.length + lost.length;
      expect(rows).toEqual(['attempts', 'metered', 'of stored events'].map((what) => ({ what, count })));
    }, SLOWLY_MS);
    const metrics = await (await fetch(`${worker.url}/metrics`)).text();
    expect(metrics).toContain(`streamforge_parked_messages_total{reason="forgotten"} ${lost.length}`);
    expect(await worker.end('SIGTERM')).toBe(0);
  });

  it('I2: stores the events again that a dump restored in place lacks, while connections stay open', async () => {
    const dump = dumped(standby.url); // not through the proxy, which is in this process
    const later = sent('later', 20);
    const total = before.length + lost.length + later.length;
    const first = await sendAll(later);
    expect(statuses(first)).toEqual(all(later, 202));
    await remembered([...before, ...lost, ...later], total);
    dump.restore();
    const again = await sendAll(later);
    expect(statuses(again)).toEqual(all(later, 202));
    expect(await found(again)).toEqual(all(later, 200));
    expect(statuses(await sendAll(later))).toEqual(all(later, 200));
    expect(statuses(await sendAll(lost))).toEqual(all(lost, 200));
  });
});
