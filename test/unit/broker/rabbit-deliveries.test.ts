import type { ReceivedMessage } from '../../../src/broker/broker';
import { UnsettledDeliveries, type Delivery } from '../../../src/broker/rabbit-deliveries';
import { messages } from '../../support/broker/listener';

const NOTHING = { ackUpTo: undefined, ack: [], park: [], requeue: [] };
const FIRST = 1;

describe('the deliveries of a channel', () => {
  let deliveries: UnsettledDeliveries;
  beforeEach(() => (deliveries = new UnsettledDeliveries(100)));

  const begin = (deliveryTag: number, redelivered = false): Delivery => deliveries.begin({ deliveryTag, redelivered });
  const arrives = (deliveryTag: number, entries: number): ReceivedMessage[] => {
    deliveries.hold(begin(deliveryTag), messages(entries), undefined);
    return received();
  };
  const received = (): ReceivedMessage[] => {
    const all: ReceivedMessage[] = [];
    for (let message; (message = deliveries.next());) all.push(message);
    return all;
  };

  it('I5: ends a bundle when the last of its entries is settled, in whatever order', () => {
    const [first, second, third] = arrives(FIRST, 3) as [ReceivedMessage, ReceivedMessage, ReceivedMessage];
    expect(deliveries.settle([third], 'ack')).toEqual(NOTHING);
    expect(deliveries.settle([first, third], 'ack')).toEqual(NOTHING); // an entry counts once
    expect(deliveries.settle([second], 'ack')).toEqual({ ...NOTHING, ackUpTo: FIRST });
    expect(deliveries.settle([first, second, third], 'requeue')).toEqual(NOTHING);
  });

  it('acks the oldest together and the rest one by one, bundles and single messages alike', () => {
    const [one, two, three, four] = [arrives(1, 2), arrives(2, 1), arrives(3, 2), arrives(4, 3)] as const;
    expect(deliveries.settle([...four, ...two], 'ack')).toEqual({ ...NOTHING, ack: [4, 2] });
    expect(deliveries.settle([...one, three[0] as ReceivedMessage], 'ack')).toEqual({ ...NOTHING, ackUpTo: 1 });
    expect(deliveries.settle(three.slice(1), 'ack')).toEqual({ ...NOTHING, ackUpTo: 3 });
  });

  it('requeues a bundle if one entry has to come again, and else parks it if one is parked', () => {
    const [first, second] = [arrives(1, 3), arrives(2, 3)];
    deliveries.settle(first.slice(0, 1), 'requeue');
    deliveries.settle(first.slice(1, 2), 'park');
    expect(deliveries.settle(first.slice(2), 'ack')).toEqual({ ...NOTHING, requeue: [1] });
    deliveries.settle(second.slice(0, 1), 'park');
    expect(deliveries.settle(second.slice(1), 'ack')).toEqual({ ...NOTHING, park: [2] });
  });

  it('hands out no more entries than the prefetch, whatever has arrived', () => {
    deliveries = new UnsettledDeliveries(3);
    const first = arrives(1, 2);
    const second = arrives(2, 4);
    expect([first.length, second.length]).toEqual([2, 1]);
    expect(arrives(3, 1)).toEqual([]);
    deliveries.settle(first, 'ack');
    const more = received();
    expect(more).toHaveLength(2);
    deliveries.settle([...second, ...more], 'ack');
    expect(received()).toHaveLength(2);
  });

  it('marks all entries of a redelivered bundle', () => {
    deliveries.hold(begin(1, true), messages(2), 'unsigned');
    expect(received()).toMatchObject([
      { redelivered: true, doubt: 'unsigned' },
      { redelivered: true, doubt: 'unsigned' },
    ]);
  });

  it('know nothing of the entries of a lost channel, nor of what arrives late from it', () => {
    const old = arrives(FIRST, 2);
    const late = begin(2);
    deliveries = new UnsettledDeliveries(100, deliveries);
    const fresh = arrives(FIRST, 2);
    deliveries.hold(late, messages(1), undefined);
    expect(received()).toEqual([]);
    expect(deliveries.settle(old, 'ack')).toEqual(NOTHING);
    expect(deliveries.settle(fresh, 'ack')).toEqual({ ...NOTHING, ackUpTo: FIRST });
  });
});
