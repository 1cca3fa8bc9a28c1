import { QUEUES } from '../../../src/broker/broker';
import { MOST_BUNDLE_BYTES, MOST_IN_BUNDLE } from '../../../src/broker/bundle-form';
import { BundleQueue, encoded, packed } from '../../../src/broker/rabbit-bundles';
import { SETTINGS } from '../../../src/config/settings';
import { idsOf, message, messages } from '../../support/broker/listener';

const sizes = (packets: ReturnType<typeof packed>): number[] => packets.map(({ entries }) => entries.length);

describe('packing messages', () => {
  it('puts neighbours into bundles, in their order, and a message without one alone', () => {
    const sent = messages(7);
    const packets = packed(sent, 3);
    expect(sizes(packets)).toEqual([3, 3, 1]);
    expect(packets.flatMap(({ positions }) => positions)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(idsOf(packets.flatMap(({ entries }) => entries))).toEqual(idsOf(sent));
    expect(packets.map((packet) => encoded(packet, undefined).routingKey)).toEqual([
      'events.bundles',
      'events.bundles',
      QUEUES.main,
    ]);
  });

  it('makes no bundles with a bound of one', () => {
    expect(sizes(packed(messages(3), 1))).toEqual([1, 1, 1]);
  });

  it('bounds the bytes of a bundle, and lets a larger message travel alone', () => {
    const half = (): { body: Buffer } => ({ body: Buffer.alloc(MOST_BUNDLE_BYTES / 2) });
    const large = message({ body: Buffer.alloc(MOST_BUNDLE_BYTES + 1) });
    expect(sizes(packed([...messages(5, half()), large, ...messages(2)], 50))).toEqual([2, 2, 3, 1]);
  });

  it('leaves retries and references to dead letters as they are', () => {
    const [retries, copies] = [messages(2, { queue: QUEUES.retry }), messages(2, { queue: QUEUES.dlq })];
    const packets = packed([...retries, message(), ...copies, message()], 50);
    expect(sizes(packets)).toEqual([1, 1, 2, 1, 1]);
    const keys = packets.map((packet) => encoded(packet, undefined).routingKey);
    expect(keys).toEqual([QUEUES.retry, QUEUES.retry, 'events.bundles', QUEUES.dlq, QUEUES.dlq]);
  });
});

describe('the queue of bundles', () => {
  it('is looked at again after a second, and after a bundle found no queue', () => {
    const queue = new BundleQueue();
    expect(queue.hasReaders(0)).toBeUndefined();
    queue.saw(2, 0);
    expect([queue.hasReaders(999), queue.hasReaders(1_000)]).toEqual([true, undefined]);
    queue.isGone(2_000);
    expect(queue.hasReaders(2_001)).toBe(false);
  });

  it('estimates the entries that wait in it from the bundles that were published', () => {
    const queue = new BundleQueue();
    for (let i = 0; i < 200; i++) queue.published(4);
    expect([queue.entriesIn(0), queue.entriesIn(10)]).toEqual([0, 40]);
  });
});

it('BUNDLE_MAX_EVENTS has no more than a worker reads', () => {
  expect(SETTINGS.BUNDLE_MAX_EVENTS.parse(String(MOST_IN_BUNDLE))).toEqual({ value: MOST_IN_BUNDLE });
  expect(SETTINGS.BUNDLE_MAX_EVENTS.parse(String(MOST_IN_BUNDLE + 1))).not.toHaveProperty('value');
});
