import { Lane } from '../../../src/worker/lane';

const LIMITS = { running: 3, tenantRunning: 2, waiting: 4, tenantWaiting: 3 };

describe('a lane', () => {
  it('lets in up to its width, lets some wait, and is full then', async () => {
    const lane = new Lane(LIMITS);
    await expect(lane.enter('a')).resolves.toBe(true);
    await expect(lane.enter('a')).resolves.toBe(true);
    const waiting = [lane.enter('a'), lane.enter('a'), lane.enter('a')];
    expect(lane.enter('a')).toBe('full');
    await expect(lane.enter('b')).resolves.toBe(true);
    void lane.enter('b'); // the fourth that waits
    expect(lane.enter('c')).toBe('full');
    lane.leave('a', 5);
    await expect(waiting[0]).resolves.toBe(true);
  });

  it('I10: gives free room to the waiting tenant with the fewest calls', async () => {
    const lane = new Lane({ ...LIMITS, tenantRunning: 3, tenantWaiting: 4 });
    for (let i = 0; i < 3; i++) void lane.enter('slow');
    const order: string[] = [];
    const waits = ['slow', 'slow', 'quick'].map((tenant) =>
      Promise.resolve(lane.enter(tenant)).then(() => order.push(tenant)),
    );
    lane.leave('slow', 100);
    await waits[2];
    expect(order).toEqual(['quick']);
  });

  it('tells events that find it full to come back one after the other, as fast as calls get done', () => {
    const lane = new Lane(LIMITS); // an average call takes 50 ms until it is known better, two at a time
    expect([1, 2, 3].map(() => lane.paceMs('a', 1_000))).toEqual([500, 525, 550]);
    expect(lane.paceMs('b', 1_000)).toBe(500);
    for (let i = 0; i < 100_000; i++) lane.paceMs('a', 1_000);
    expect(lane.paceMs('a', 1_000)).toBe(300_000);
  });

  it('once closed lets nobody in, and tells those that wait', async () => {
    const lane = new Lane({ ...LIMITS, running: 1 });
    await lane.enter('a');
    const waiting = lane.enter('a');
    lane.close();
    await expect(waiting).resolves.toBe(false);
    await expect(lane.enter('b')).resolves.toBe(false);
  });
});
