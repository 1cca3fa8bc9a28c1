import { Lane } from '../../../src/worker/run/lane';

const LIMITS = { running: 3, tenantRunning: 2, waiting: 4, tenantWaiting: 3 };
/** After this without the end of a call, a tenant counts as slow. */
const STUCK_MS = 250;

describe('a lane', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** With both of its places held for so long that nobody takes it for quick. */
  const stuck = async (lane: Lane, tenantId: string): Promise<void> => {
    await lane.enter(tenantId);
    await lane.enter(tenantId);
    jest.advanceTimersByTime(STUCK_MS);
  };

  it('lets in up to its width, lets some wait, and is full then for a tenant that is slow', async () => {
    const lane = new Lane(LIMITS);
    await stuck(lane, 'a');
    const waiting = [lane.enter('a'), lane.enter('a'), lane.enter('a')];
    await expect(lane.enter('a')).resolves.toBe('full');
    lane.leave('a', 5);
    await expect(waiting[0]).resolves.toBe('entered');
  });

  it('lets any number wait whose turn will soon come', async () => {
    const lane = new Lane(LIMITS);
    await lane.enter('a');
    await lane.enter('a');
    const waiting = Array.from({ length: 50 }, () => lane.enter('a'));
    for (const entry of waiting) {
      jest.advanceTimersByTime(10);
      lane.leave('a', 10);
      await expect(entry).resolves.toBe('entered');
    }
  });

  it('sends those away again, the newest first, when the calls before them prove to be slow', async () => {
    const lane = new Lane(LIMITS);
    await lane.enter('a');
    await lane.enter('a');
    const waiting = Array.from({ length: 6 }, () => lane.enter('a'));
    jest.advanceTimersByTime(2 * STUCK_MS);
    await expect(Promise.all(waiting.slice(3))).resolves.toEqual(['full', 'full', 'full']);
    for (const entry of waiting.slice(0, 3)) {
      lane.leave('a', 5);
      await expect(entry).resolves.toBe('entered');
    }
  });

  it('is full for a tenant whose calls take so long that its turn would not come soon', async () => {
    const lane = new Lane(LIMITS);
    for (let i = 0; i < 50; i++) {
      await lane.enter('slow');
      lane.leave('slow', 1_000);
    }
    await lane.enter('slow');
    await lane.enter('slow');
    const entries = Array.from({ length: 4 }, () => lane.enter('slow'));
    await expect(entries[3]).resolves.toBe('full');
  });

  it('has a limit for the waiting of all slow tenants together', async () => {
    const lane = new Lane({ ...LIMITS, running: 4 });
    await stuck(lane, 'a');
    await stuck(lane, 'b');
    for (const tenant of ['a', 'a', 'b', 'b']) void lane.enter(tenant);
    await expect(lane.enter('b')).resolves.toBe('full');
  });

  it('I10: gives free room to the waiting tenant with the fewest calls', async () => {
    const lane = new Lane({ ...LIMITS, tenantRunning: 3, tenantWaiting: 4 });
    for (let i = 0; i < 3; i++) void lane.enter('slow');
    const order: string[] = [];
    const waits = ['slow', 'slow', 'quick'].map((tenant) => lane.enter(tenant).then(() => order.push(tenant)));
    lane.leave('slow', 100);
    await waits[2];
    expect(order).toEqual(['quick']);
  });

  it('tells events that find it full to come back one after the other, as fast as calls get done', () => {
    const lane = new Lane(LIMITS); // an average call takes 20 ms until it is known better, two at a time
    expect([1, 2, 3].map(() => lane.paceMs('a', 1_000))).toEqual([500, 510, 520]);
    expect(lane.paceMs('b', 1_000)).toBe(500);
    for (let i = 0; i < 100_000; i++) lane.paceMs('a', 1_000);
    expect(lane.paceMs('a', 1_000)).toBe(300_000);
  });

  it('once closed lets nobody in, and tells those that wait', async () => {
    const lane = new Lane({ ...LIMITS, running: 1 });
    await lane.enter('a');
    const waiting = lane.enter('a');
    lane.close();
    await expect(waiting).resolves.toBe('closed');
    await expect(lane.enter('b')).resolves.toBe('closed');
  });
});
