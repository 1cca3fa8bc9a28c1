import type { StoredDelivery, StoredEvent } from '../../verify/evidence/evidence';
import { checkOrder } from '../../verify/oracle/deliveries/order';
import type { Entry, EntryOf } from '../../verify/run/journal';
import { answered, delivered, deliveryAttempt, deliveryTo, fault, idOf, operator, sent, storedAs } from './given';

const [FIRST, SECOND] = ['ordered-5-0', 'ordered-6-0'] as const;
const [SKIPS, BLOCKS] = ['in-order', 'strict-order'] as const;

const event = (name: string, position: number, fields: Partial<StoredEvent> = {}): StoredEvent =>
  storedAs(name, { partitionKey: 'lane 0', position, deliveries: [], ...fields });

const two = (deliveries: StoredDelivery[] = []): StoredEvent[] => [event(FIRST, 1, { deliveries }), event(SECOND, 2)];

const got = (destination: string, name: string, atMs: number, status: number | undefined = 204): Entry =>
  delivered({ destination, name, webhookId: idOf(name), atMs, status });

const found = (journal: readonly Entry[], stored = two()): string[] =>
  checkOrder({ journal, stored }).map(({ breach, text }) => `${breach}: ${text}`);

const EARLIER = `out of order: ${SKIPS} got ${SECOND} before ${FIRST} of its key`;
const between = (destination: string): string[] => [
  `out of order: ${destination} got ${SECOND} between two tries of ${FIRST} of its key`,
];
const discard = (fields: Partial<EntryOf<'operator'>> = {}): Entry =>
  operator({
    action: 'deliveries.discard',
    request: { tenantId: 'ordered', limit: 5 },
    body: { discarded: 1 },
    sentMs: 2_400,
    atMs: 2_500,
    ...fields,
  });

describe('the oracle on the order of events', () => {
  const afterResponse = [
    sent(FIRST, { atMs: 900 }),
    answered(FIRST, {}, { atMs: 1_000 }),
    sent(SECOND, { atMs: 1_100, request: 1 }),
    answered(SECOND, {}, { atMs: 1_200, request: 1 }),
  ];

  it('wants an event that is sent after the response to another of its key to come later', () => {
    const text = `out of order: ${SECOND} was sent after the response to ${FIRST} of its key, and comes before it`;
    expect(found(afterResponse)).toEqual([]);
    expect(found(afterResponse, [event(FIRST, 2), event(SECOND, 1)])).toEqual([text]);
    expect(found(afterResponse, [event(FIRST, 2), event(SECOND, 1, { partitionKey: 'lane 1' })])).toEqual([]);
  });

  it('allows any order of events that were sent at the same time', () => {
    const atOnce = afterResponse.map((entry) => (entry.kind === 'sent' ? { ...entry, atMs: 950 } : entry));
    expect(found(atOnce, [event(FIRST, 2), event(SECOND, 1)])).toEqual([]);
  });
});

describe('the oracle on an ordered destination', () => {
  it('wants each event before the later ones of its key', () => {
    expect(found([got(SKIPS, FIRST, 2_000), got(SKIPS, SECOND, 2_100)])).toEqual([]);
    expect(found([got(SKIPS, SECOND, 2_000), got(SKIPS, FIRST, 2_100)])).toEqual([EARLIER]);
    expect(found([got('all', SECOND, 2_000), got('all', FIRST, 2_100)])).toEqual([]);
    const otherKey = [event(FIRST, 1), event(SECOND, 2, { partitionKey: 'lane 1' })];
    expect(found([got(SKIPS, SECOND, 2_000), got(SKIPS, FIRST, 2_100)], otherKey)).toEqual([]);
  });

  it('allows duplicates before anything later, and none after it', () => {
    const [first, again, second] = [got(SKIPS, FIRST, 2_000), got(SKIPS, FIRST, 2_100), got(SKIPS, SECOND, 2_200)];
    expect(found([first, again, second])).toEqual([]);
    expect(found([first, second, { ...again, atMs: 2_300 }])).toEqual(between(SKIPS));
  });

  it('wants later events to wait while one waits for its next try', () => {
    const tries = [got(SKIPS, FIRST, 2_000, 500), got(SKIPS, SECOND, 2_100), got(SKIPS, FIRST, 2_200)];
    expect(found(tries)).toEqual(between(SKIPS));
    expect(found([got(SKIPS, SECOND, 1_000), got(SKIPS, SECOND, 1_100)])).toEqual([]);
  });

  it('allows a delivery that a replay or backfill made later', () => {
    const again = deliveryTo(SKIPS, undefined, { generation: 2, createdMs: 15_000 });
    const requests = [got(SKIPS, FIRST, 2_000), got(SKIPS, SECOND, 2_100), got(SKIPS, FIRST, 15_100)];
    expect(found(requests, two([deliveryTo(SKIPS), again]))).toEqual([]);
    expect(found(requests, two([deliveryTo(SKIPS), { ...again, destination: 'all' }]))).toEqual(between(SKIPS));
    expect(found(requests, two([deliveryTo(SKIPS), { ...again, createdMs: 15_200 }]))).toEqual(between(SKIPS));
  });

  it('goes on past a delivery that has failed for good, but not if it blocks', () => {
    const requests = (to: string) => [got(to, FIRST, 2_000, 422), got(to, SECOND, 2_100), got(to, FIRST, 5_000)];
    const log = [
      deliveryAttempt({ statusCode: 422, reasonCode: 'HTTP_4XX', isFailure: true, atMs: 2_050 }),
      deliveryAttempt({ attemptNumber: 2, atMs: 5_050 }),
    ];
    expect(found(requests(SKIPS), two([deliveryTo(SKIPS, log)]))).toEqual([]);
    expect(found(requests(BLOCKS), two([deliveryTo(BLOCKS, log)]))).toEqual(between(BLOCKS));
    const [failed] = log;
    const newest = deliveryTo(BLOCKS, failed && [failed], { status: 'FAILED' });
    const text = `out of order: ${BLOCKS} got ${SECOND} after the failure of ${FIRST} of its key`;
    expect(found(requests(BLOCKS).slice(0, 2), two([newest]))).toEqual([text]);
    expect(found(requests(BLOCKS).slice(0, 2), two([{ ...newest, status: 'DISCARDED' }]))).toEqual([]);
  });

  it('excuses as many events as were discarded, if they could have been these', () => {
    const requests = [got(SKIPS, FIRST, 2_000, 500), got(SKIPS, SECOND, 3_000), got(SKIPS, FIRST, 4_000)];
    expect(found([...requests, discard()])).toEqual([]);
    expect(found([...requests, discard({ body: { discarded: 0 } })])).toEqual(between(SKIPS));
    expect(found([...requests, discard({ status: 409 })])).toEqual(between(SKIPS));
    expect(found([...requests, discard({ request: { tenantId: 'switched' } })])).toEqual(between(SKIPS));
    expect(found([...requests, discard({ sentMs: 4_100, atMs: 4_200 })])).toEqual(between(SKIPS));
  });

  it('excuses what a worker sends that stood still for longer than its leases', () => {
    const requests = [got(SKIPS, FIRST, 2_000), got(SKIPS, SECOND, 24_000), got(SKIPS, FIRST, 26_000)];
    expect(found([...requests, ...fault('stop', 'worker-0', 1_000, 25_000)])).toEqual([]);
    expect(found([...requests, ...fault('stop', 'worker-0', 20_000, 25_000)])).toEqual(between(SKIPS));
    expect(found([...requests, ...fault('stop', 'publisher-0', 1_000, 25_000)])).toEqual(between(SKIPS));
  });
});
