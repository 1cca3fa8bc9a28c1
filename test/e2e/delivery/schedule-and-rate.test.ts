import { postEvent, postStream } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useGateway } from '../../support/fixtures/gateway';
import { givenDestination } from '../../support/receivers/destinations';
import { answer } from '../../support/receivers/receiver';

const envelope = (n: number): string =>
  JSON.stringify({ eventType: 'order.paid', subject: `order-${n}`, payload: { n } });

/** A busy machine makes requests late. None of these may be early. */
describe('the times of the requests to a destination', () => {
  const gateway = useGateway({ RETRY_JITTER: '0', DELIVERY_RETRY_SCHEDULE_SECONDS: '86400' });

  it('keep the waits of its own retrySchedule', async () => {
    gateway.receiver.reaction = answer(500);
    const waits = [0.4, 1.2, 0.8];
    await givenDestination(gateway.url, { tenantId: 'waits', url: gateway.receiver.url, retrySchedule: waits });
    const { id } = (await postEvent(gateway.url, 'waits', envelope(1))).body;
    const { deliveries } = await gateway.settled('waits', id, 'DLQ');
    expect(deliveries).toMatchObject([{ status: 'FAILED', attempts: waits.length + 1, exhausted: true }]);
    const requests = gateway.receiver.of(id);
    const waited = requests.slice(1).map(({ atMs }, i) => (atMs - (requests[i]?.atMs ?? NaN)) / 1_000);
    expect(waited).toHaveLength(waits.length);
    for (const [i, seconds] of waited.entries()) expect(seconds).toBeGreaterThanOrEqual(waits[i] ?? Infinity);
  });

  it('keep its ratePerSecond', async () => {
    const [ratePerSecond, events] = [10, 40];
    await givenDestination(gateway.url, { tenantId: 'rate', url: gateway.receiver.url, ratePerSecond });
    const sentMs = Date.now();
    await postStream(gateway.url, 'rate', Array.from({ length: events }, (_, n) => envelope(n)).join('\n'));
    await eventually(() => expect(gateway.receiver.received).toHaveLength(events));
    const arrivals = gateway.receiver.received.map(({ atMs }) => atMs);
    // What one tenth of a second allows may be sent at once. The nth request comes no earlier than its turn after that.
    const early = arrivals.filter((atMs, n) => atMs - sentMs < ((n - 2) * 1_000) / ratePerSecond);
    expect(early).toEqual([]);
  });
});
