import { connect, type Channel, type ChannelModel } from 'amqplib';
import { TcpProxy } from '../../support/broker/tcp-proxy';
import { TestCluster } from '../../support/processes/e2e-cluster';
import { call } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import type { TestProcess } from '../../support/processes/process';
import { givenEvents, givenFailedEvent, outboxRows, stateRow } from '../../support/rows';

const EVENTS = 10;
/** See QUICK in e2e-cluster.ts. */
const LEASE_SECONDS = 2;
/** Each test starts one or two processes, which takes long on a busy machine. */
const START_MS = 90_000;

describe('a publisher that is killed or stopped at the worst moment', () => {
  let cluster: TestCluster;
  let rabbit: TcpProxy;
  let postgres: TcpProxy;
  let observer: ChannelModel;
  let channel: Channel;
  beforeEach(async () => {
    cluster = await TestCluster.create();
    rabbit = await TcpProxy.to(cluster.vhost.url);
    postgres = await TcpProxy.to(cluster.database.url);
    observer = await connect(cluster.vhost.url);
    channel = await observer.createChannel();
  });
  afterEach(async () => {
    await observer.close();
    await Promise.all([rabbit.cut(), postgres.cut()]);
    await cluster.drop();
  });

  /** Ready, and reached by the proxies only. */
  const startBehindProxies = async (): Promise<TestProcess> => {
    const publisher = await cluster.start('publisher', { RABBITMQ_URL: rabbit.url, DATABASE_URL: postgres.url });
    await eventually(async () => expect((await call(`${publisher.url}/ready`)).status).toBe(200));
    return publisher;
  };
  const statuses = async (): Promise<string[]> => [
    ...new Set((await outboxRows(cluster.pool)).map(({ status }) => status)),
  ];
  const allAre = (status: string): Promise<void> => eventually(async () => expect(await statuses()).toEqual([status]));
  const queued = (): Promise<number> => channel.checkQueue('events.main').then(({ messageCount }) => messageCount);
  const queuedIs = (n: number): Promise<void> => eventually(async () => expect(await queued()).toBe(n));
  const takenOverAfterLease = async (): Promise<void> => {
    await cluster.start('publisher');
    await allAre('PUBLISHED');
  };
  /** What waits in the queue: how often each event. */
  const copies = async (ids: readonly string[]): Promise<number[]> => {
    const seen = new Map<string, number>();
    for (
      let m = await channel.get('events.main', { noAck: true });
      m;
      m = await channel.get('events.main', { noAck: true })
    ) {
      const id = String(m.properties.messageId);
      seen.set(id, (seen.get(id) ?? 0) + 1);
    }
    return ids.map((id) => seen.get(id) ?? 0);
  };
  const times = (n: number): number[] => Array.from({ length: EVENTS }, () => n);
  const idsOf = (events: readonly { id: string }[]): string[] => events.map(({ id }) => id);

  it(
    'I3: publishes each event once when it is killed between claim and publish',
    async () => {
      const publisher = await startBehindProxies();
      rabbit.hold('requests');
      const events = await givenEvents(cluster.pool, EVENTS);
      await allAre('IN_FLIGHT');
      await publisher.end('SIGKILL');
      expect(await statuses()).toEqual(['IN_FLIGHT']);
      expect(await queued()).toBe(0);
      await takenOverAfterLease();
      expect(await copies(idsOf(events))).toEqual(times(1));
    },
    START_MS,
  );

  it(
    'I3: publishes each event again when it is killed between publish and confirm',
    async () => {
      const publisher = await startBehindProxies();
      rabbit.hold('answers');
      const events = await givenEvents(cluster.pool, EVENTS);
      await queuedIs(EVENTS);
      await publisher.end('SIGKILL');
      expect(await statuses()).toEqual(['IN_FLIGHT']);
      await takenOverAfterLease();
      expect(await copies(idsOf(events))).toEqual(times(2));
    },
    START_MS,
  );

  /** Confirmed by the broker; the statement that closes the entries is on its way and does not arrive. */
  const untilItCloses = async (): Promise<{ publisher: TestProcess; ids: string[] }> => {
    const publisher = await startBehindProxies();
    rabbit.hold('answers');
    const events = await givenEvents(cluster.pool, EVENTS);
    await queuedIs(EVENTS);
    postgres.hold('requests');
    rabbit.release();
    await eventually(() => expect(postgres.held).toContain('mark-published'));
    return { publisher, ids: idsOf(events) };
  };

  it(
    'I3: publishes each event again when it is killed between confirm and close',
    async () => {
      const { publisher, ids } = await untilItCloses();
      await publisher.end('SIGKILL');
      expect(await statuses()).toEqual(['IN_FLIGHT']);
      await takenOverAfterLease();
      expect(await copies(ids)).toEqual(times(2));
    },
    START_MS,
  );

  it(
    'I4: changes no row, and counts the lost lease, when it closes entries that another publisher has claimed',
    async () => {
      const { publisher, ids } = await untilItCloses();
      await takenOverAfterLease();
      const before = await outboxRows(cluster.pool);
      postgres.release();
      await eventually(async () => {
        const { text } = await call(`${publisher.url}/metrics`);
        expect(text).toMatch(new RegExp(`^streamforge_outbox_lost_lease_total ${EVENTS}$`, 'm'));
      });
      expect(await outboxRows(cluster.pool)).toEqual(before);
      expect(await copies(ids)).toEqual(times(2));
    },
    START_MS,
  );

  it(
    'I4: changes no row that it lost when it continues after two leases',
    async () => {
      const publisher = await startBehindProxies();
      rabbit.hold('answers');
      const events = await givenEvents(cluster.pool, EVENTS);
      await queuedIs(EVENTS);
      publisher.child.kill('SIGSTOP');
      const [stopped] = await outboxRows(cluster.pool);
      await takenOverAfterLease();
      const before = await outboxRows(cluster.pool);
      expect(before[0]?.lockOwner).not.toBe(stopped?.lockOwner);
      await eventually(async () => {
        const { rows } = await cluster.pool.query(
          `select from outbox where closed_at > now() - make_interval(secs => $1)`,
          [2 * LEASE_SECONDS],
        );
        expect(rows).toHaveLength(0);
      });
      publisher.child.kill('SIGCONT');
      rabbit.release();
      // It is at work again when it publishes what comes now, and by then it has dealt with what it had in hand.
      const later = await givenEvents(cluster.pool, 200);
      await allAre('PUBLISHED');
      expect((await outboxRows(cluster.pool)).slice(0, EVENTS)).toEqual(before);
      expect(await publisher.end('SIGTERM')).toBe(0);
      expect((await outboxRows(cluster.pool)).slice(0, EVENTS)).toEqual(before);
      expect(later).toHaveLength(200);
      expect(events).toHaveLength(EVENTS);
    },
    START_MS,
  );

  it(
    'I4: shares the outbox with a healthy one, and nothing is published twice',
    async () => {
      await Promise.all([cluster.start('publisher'), cluster.start('publisher')]);
      const ids = (await Promise.all([1, 2, 3, 4].map(() => givenEvents(cluster.pool, 500))))
        .flat()
        .map(({ id }) => id);
      await allAre('PUBLISHED');
      expect(await queued()).toBe(2_000);
      expect(new Set(await copies(ids))).toEqual(new Set([1]));
    },
    START_MS,
  );

  it(
    'leaves the chores to another publisher within seconds',
    async () => {
      const [first, second] = await Promise.all([cluster.start('publisher'), cluster.start('publisher')]);
      const dueRetryIsDispatched = async (): Promise<void> => {
        const event = await givenFailedEvent(cluster.pool, 0);
        await eventually(
          async () => expect(await stateRow(cluster.pool, event)).toMatchObject({ status: 'DISPATCHED' }),
          5_000,
        );
      };
      await dueRetryIsDispatched();
      await first?.end('SIGKILL');
      await dueRetryIsDispatched();
      const third = await cluster.start('publisher');
      await second?.end('SIGKILL');
      await dueRetryIsDispatched();
      expect(await third.end('SIGTERM')).toBe(0);
    },
    START_MS,
  );

  it(
    'reports a queue with other arguments in /ready, claims nothing and deletes nothing',
    async () => {
      await channel.assertQueue('events.main', { durable: true });
      channel.sendToQueue('events.main', Buffer.from('theirs'));
      const publisher = await cluster.start('publisher');
      await givenEvents(cluster.pool, EVENTS);
      await eventually(async () => {
        const { status, text } = await call(`${publisher.url}/ready`);
        expect([status, text]).toEqual([503, expect.stringMatching(/queue 'events\.main'.*delete it by hand/)]);
      });
      expect(publisher.output()).toMatch(/delete it by hand/);
      expect(await statuses()).toEqual(['PENDING']);
      expect(await queued()).toBe(1);
      await channel.deleteQueue('events.main');
      await allAre('PUBLISHED');
    },
    START_MS,
  );
});
