import { Metrics } from '../../../src/observability/metrics';
import type { NewRejection } from '../../../src/rejections/rejection';
import { RejectionKeeper } from '../../../src/rejections/rejection-keeper';
import type { RejectionStore } from '../../../src/rejections/rejection-store';

const REJECTION = { endpoint: 'stream' } as NewRejection;

describe('RejectionKeeper', () => {
  /** Of the rejections that the database has not answered for yet. */
  let open: ((isKept: boolean) => void)[];
  let hasRoom: boolean;
  let keeper: RejectionKeeper;
  beforeEach(() => {
    jest.useFakeTimers();
    [open, hasRoom] = [[], true];
    const tryKeep: RejectionStore['tryKeep'] = (_, done) => hasRoom && open.push(done) > 0;
    keeper = new RejectionKeeper({ tryKeep } as RejectionStore, new Metrics());
  });
  afterEach(() => jest.useRealTimers());

  const keep = (count: number): { outcome: Promise<readonly boolean[]>; isOver: () => boolean } => {
    const attempt = keeper.begin();
    for (let i = 0; i < count; i++) attempt.add(REJECTION);
    let over = false;
    const outcome = keeper.outcome(attempt, 'stream').finally(() => (over = true));
    return { outcome, isOver: () => over };
  };

  it('says which rejections are kept', async () => {
    const { outcome } = keep(3);
    [true, false, true].forEach((isKept, i) => open[i]?.(isKept));
    await expect(outcome).resolves.toEqual([true, false, true]);
  });

  it('waits for those that are added after the first ones were kept', async () => {
    const attempt = keeper.begin();
    attempt.add(REJECTION);
    open[0]?.(true);
    attempt.add(REJECTION);
    const outcome = keeper.outcome(attempt, 'stream');
    await jest.advanceTimersByTimeAsync(10);
    open[1]?.(true);
    await expect(outcome).resolves.toEqual([true, true]);
  });

  it('waits a second, and then tells what is known by then', async () => {
    const { outcome, isOver } = keep(2);
    open[1]?.(true);
    await jest.advanceTimersByTimeAsync(999);
    expect(isOver()).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    open[0]?.(true); // too late
    await expect(outcome).resolves.toEqual([false, true]);
  });

  it('does not wait at all for 10 s after a wait that ran out, but still passes rejections on', async () => {
    const first = keep(1);
    await jest.advanceTimersByTimeAsync(1_000);
    await expect(first.outcome).resolves.toEqual([false]);
    await jest.advanceTimersByTimeAsync(9_999);
    await expect(keep(1).outcome).resolves.toEqual([false]);
    expect(open).toHaveLength(2);
    await jest.advanceTimersByTimeAsync(1);
    const { outcome } = keep(1);
    open[2]?.(true);
    await expect(outcome).resolves.toEqual([true]);
  });

  it('does not wait for what there is no room for', async () => {
    hasRoom = false;
    await expect(keep(2).outcome).resolves.toEqual([false, false]);
  });
});
