import { Logger } from '@nestjs/common';
import { BrokerMisconfigured, QUEUES, type OutgoingMessage } from '../../src/broker/broker';
import { MemoryBroker } from '../../src/broker/memory-broker';
import { RabbitBroker } from '../../src/broker/rabbit-broker';
import { Installation, InstallationMoved } from '../../src/integrity/installation';
import { atTheEnd, closeAll } from '../support/broker/closing';
import { AMPLE_MS, idsOf, Listener, messages } from '../support/broker/listener';
import { openProxy } from '../support/broker/proxy';
import type { TestVhost } from '../support/broker/rabbit';
import { openRawChannel, openVhost } from '../support/broker/rabbit-queues';
import { eventually } from '../support/eventually';
import { macKeys } from '../support/mac-keys';

Logger.overrideLogger(false);

/** A refused process tries again every three seconds. */
const WAIT_MS = 30_000;
const [PRODUCTION, STAGING] = ['0196a000-0000-7000-8000-00000000000a', '0196a000-0000-7000-8000-00000000000b'];

class TestInstallation extends Installation {
  private moved = false;
  /** Resolves when a reading that is under way may end. */
  private held: Promise<void> | undefined;
  private listener: () => void = () => undefined;
  /** Readings so far. */
  readings = 0;

  constructor(private readonly id: string) {
    super();
  }

  async require(): Promise<string> {
    this.readings += 1;
    const { moved } = this;
    await this.held;
    if (!moved) return this.id;
    this.listener();
    throw new InstallationMoved('it was moved');
  }

  unconfirmed(): Promise<unknown> | undefined {
    return this.moved ? this.require() : undefined;
  }

  onMoved(listener: () => void): void {
    this.listener = listener;
  }

  /** With `told`, somebody has found out already. */
  setMoved(moved: boolean, told = true): void {
    this.moved = moved;
    if (moved && told) this.listener();
  }

  /** Makes readings wait until the function that it returns is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.held = promise;
    return () => {
      this.held = undefined;
      resolve();
    };
  }
}

describe('a virtual host of RabbitMQ', () => {
  let vhost: TestVhost;
  beforeEach(async () => (vhost = await openVhost()));
  afterEach(closeAll);

  interface Opening {
    url?: string;
    namespace?: string;
    installation?: Installation;
  }
  const open = async (id: string, { url = vhost.url, namespace = '', installation }: Opening = {}) => {
    const roles = { publishes: true, consumes: true, namespace };
    const broker = await RabbitBroker.connect(url, roles, macKeys(id), installation ?? new TestInstallation(id));
    atTheEnd(() => broker.close());
    return broker;
  };
  const isUp = (broker: RabbitBroker): Promise<void> =>
    eventually(async () => {
      expect(broker.canPublish()).toBe(true);
      await broker.ping();
    }, WAIT_MS);
  const isRefused = (broker: RabbitBroker, reason: RegExp): Promise<void> =>
    eventually(async () => {
      const error = await broker.ping().then(
        () => undefined,
        (failure: unknown) => failure,
      );
      expect(error).toBeInstanceOf(BrokerMisconfigured);
      expect((error as Error).message).toMatch(reason);
      expect(broker.canPublish()).toBe(false);
    }, WAIT_MS);
  const BELONGS_TO_PRODUCTION = new RegExp(
    `^The virtual host belongs to another installation .*events.installation names ${PRODUCTION}, and this database is ` +
      `the installation ${STAGING}.*BROKER_NAMESPACE`,
  );

  it('belongs to the installation that came first; another one says so, publishes nothing and consumes nothing', async () => {
    const production = await open(PRODUCTION);
    const first = new Listener(production, { acks: true });
    await isUp(production);
    await first.consumer.cancel();
    const staging = await open(STAGING);
    const other = new Listener(staging, { acks: true });
    await isRefused(staging, BELONGS_TO_PRODUCTION);

    const sent = messages(20);
    expect(await production.publish(sent, AMPLE_MS)).toEqual(sent.map(() => 'confirmed'));
    const theirs = messages(5);
    expect(await staging.publish(theirs, AMPLE_MS)).toEqual(theirs.map(() => 'unconfirmed'));
    const second = new Listener(await open(PRODUCTION), { acks: true });
    await eventually(() => expect(second.ids.sort()).toEqual(idsOf(sent).sort()), WAIT_MS);
    expect(other.received).toEqual([]);
  });

  it('is shared by installations with names of their own', async () => {
    const production = await open(PRODUCTION);
    await isUp(production);
    const staging = await open(STAGING, { namespace: 'staging' });
    await isUp(staging);
    const [ours, theirs] = [new Listener(production, { acks: true }), new Listener(staging, { acks: true })];
    const [sent, sentThere] = [messages(5), messages(7)];
    await production.publish(sent, AMPLE_MS);
    await staging.publish(sentThere, AMPLE_MS);
    await eventually(() => {
      expect(ours.ids).toEqual(idsOf(sent));
      expect(theirs.ids).toEqual(idsOf(sentThere));
    }, WAIT_MS);
    expect(theirs.received.map(({ doubt }) => doubt)).toEqual(sentThere.map(() => undefined));
    expect(await staging.waiting(QUEUES.main)).toBe(0);
    const raw = await openRawChannel(vhost.url);
    for (const queue of ['main', 'retry', 'safety', 'installation']) await raw.checkQueue(`staging.events.${queue}`); // throws if there is none

    const [parked] = messages(1, { queue: QUEUES.retry });
    const parking = new Listener(staging, { queue: QUEUES.retry }, (message) => parking.consumer.park([message]));
    await staging.publish([parked as OutgoingMessage], AMPLE_MS);
    await eventually(async () => expect((await raw.checkQueue('staging.events.safety')).messageCount).toBe(1), WAIT_MS);
    expect((await raw.checkQueue('events.safety')).messageCount).toBe(0);
  });

  it('is found to belong to another installation when the broker comes back', async () => {
    const proxy = await openProxy(vhost.url);
    await proxy.cut();
    const staging = await open(STAGING, { url: proxy.url });
    await isUp(await open(PRODUCTION));
    await proxy.restore();
    await isRefused(staging, BELONGS_TO_PRODUCTION);
  });

  it('is free for another installation when an operator has deleted the queue that names the first', async () => {
    const production = await open(PRODUCTION);
    await isUp(production);
    const staging = await open(STAGING);
    await isRefused(staging, BELONGS_TO_PRODUCTION);
    await production.close();
    await (await openRawChannel(vhost.url)).deleteQueue('events.installation');
    await isUp(staging);
  });

  it('is left alone while the database has not been confirmed', async () => {
    const installation = new TestInstallation(PRODUCTION);
    const broker = await open(PRODUCTION, { installation });
    await isUp(broker);
    const listener = new Listener(broker);
    await broker.publish(messages(1), AMPLE_MS);
    await eventually(() => expect(listener.received).toHaveLength(1), WAIT_MS);
    installation.setMoved(true);
    await isRefused(broker, /^it was moved$/);
    const raw = await openRawChannel(vhost.url);
    await eventually(
      async () => expect(await raw.checkQueue(QUEUES.main)).toMatchObject({ messageCount: 1, consumerCount: 0 }),
      WAIT_MS,
    );
    installation.setMoved(false);
    await isUp(broker);
    await eventually(() => expect(listener.received).toHaveLength(2), WAIT_MS);
  });

  it('gets nothing from a process whose database was replaced while its channel stayed open', async () => {
    const installation = new TestInstallation(PRODUCTION);
    const broker = await open(PRODUCTION, { installation });
    await isUp(broker);
    expect(await broker.publish(messages(1), AMPLE_MS)).toEqual(['confirmed']);
    installation.setMoved(true, false);
    expect(await broker.publish(messages(1), AMPLE_MS)).toEqual(['unconfirmed']);
    await isRefused(broker, /^it was moved$/);
    const raw = await openRawChannel(vhost.url);
    expect((await raw.checkQueue(QUEUES.main)).messageCount).toBe(1);
  });

  it('is left by a process that learns of it while its channels are being set up', async () => {
    const installation = new TestInstallation(PRODUCTION);
    const release = installation.hold();
    const broker = await open(PRODUCTION, { installation });
    new Listener(broker);
    await eventually(() => expect(installation.readings).toBe(2), WAIT_MS); // for publishing and for consuming
    installation.setMoved(true);
    release();
    await isRefused(broker, /^it was moved$/);
    const raw = await openRawChannel(vhost.url);
    await expect(raw.checkQueue(QUEUES.main)).rejects.toThrow(/no queue/); // nothing was declared
  });
});

it('the in-process broker publishes nothing while the database has not been confirmed', async () => {
  const installation = new TestInstallation(PRODUCTION);
  const broker = new MemoryBroker(installation);
  expect(broker.canPublish()).toBe(true);
  installation.setMoved(true);
  expect(broker.canPublish()).toBe(false);
  await expect(broker.ping()).rejects.toBeInstanceOf(BrokerMisconfigured);
  installation.setMoved(false);
  expect(broker.canPublish()).toBe(true);
  await broker.ping();

  installation.setMoved(true, false);
  expect(await broker.publish(messages(1))).toEqual(['unconfirmed']);
  installation.setMoved(false);
  expect(await broker.waiting(QUEUES.main)).toBe(0);
});
