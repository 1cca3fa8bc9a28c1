import { Logger } from '@nestjs/common';
import type { Broker } from '../../src/broker/broker';
import { MemoryBroker } from '../../src/broker/memory-broker';
import { describeBroker } from './broker.contract';
import { AMPLE_MS, Listener, messages, publishAll } from '../support/broker/listener';
import { closeAll } from '../support/broker/closing';
import { BOTH, openRabbitBroker, openVhost } from '../support/broker/rabbit-queues';

Logger.overrideLogger(false);

describeBroker('MemoryBroker', () => Promise.resolve(new MemoryBroker()));

describeBroker('RabbitBroker', async () => openRabbitBroker((await openVhost()).url));

describeBroker('RabbitBroker with bundles', async () =>
  openRabbitBroker((await openVhost()).url, { ...BOTH, bundleMaxEvents: 50 }),
);

describe('MemoryBroker with a full queue', () => {
  afterEach(closeAll);

  it('refuses more messages, stops publishers, and accepts messages again when there is room', async () => {
    const broker: Broker = new MemoryBroker();
    await publishAll(broker, messages(19_999));
    expect(broker.canPublish()).toBe(true);
    expect(await broker.publish(messages(3), AMPLE_MS)).toEqual(['confirmed', 'refused', 'refused']);
    expect(broker.canPublish()).toBe(false);
    const listener = new Listener(broker, { prefetch: 10, acks: true });
    await listener.receives(20_000);
    expect(broker.canPublish()).toBe(true);
    await publishAll(broker, messages(1));
    await listener.receives(20_001);
  });
});
