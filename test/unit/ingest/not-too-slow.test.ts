import type { Problem } from '../../../src/event/problems';
import { notTooSlow } from '../../../src/ingest/stream/not-too-slow';
import { RecordsInHand } from '../../../src/ingest/stream/records-in-hand';

const MIN = 100;

describe('the least pace of a stream', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] }));
  afterEach(() => jest.useRealTimers());

  /** A sender that brings so many bytes every so many ms, while `at` may do something. */
  async function* sender(bytes: number, everyMs: number, at: (second: number) => void): AsyncGenerator<Buffer> {
    for (let ms = 0; ; ms += everyMs) {
      at(ms / 1_000);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
      yield Buffer.alloc(bytes);
    }
  }
  /** Returns the seconds after which the stream is refused; undefined if it is not within an hour. */
  async function refusedAfter(
    bytes: number,
    everyMs: number,
    { inHand = new RecordsInHand(), at = (): void => undefined, storeMs = 0 } = {},
  ): Promise<{ seconds: number; problem: Problem } | undefined> {
    const startMs = performance.now();
    let refused: { seconds: number; problem: Problem } | undefined;
    let stopped = false;
    const reading = (async () => {
      for await (const _ of notTooSlow(sender(bytes, everyMs, at), MIN, inHand)) {
        if (stopped) return;
        if (storeMs > 0) await new Promise((resolve) => setTimeout(resolve, storeMs));
      }
    })().catch((problem: Problem) => (refused = { seconds: (performance.now() - startMs) / 1_000, problem }));
    await jest.advanceTimersByTimeAsync(3_600_000);
    stopped = true;
    await jest.advanceTimersByTimeAsync(120_000);
    await reading;
    return refused;
  }

  it('ends a stream that brings a byte every 5 s, after two minutes', async () => {
    const refused = await refusedAfter(1, 5_000);
    expect(refused?.seconds).toBeCloseTo(120, 0);
    expect(refused?.problem).toMatchObject({ code: 'request-timeout' });
    expect(refused?.problem.detail).toContain('brought no record and 12 bytes in 60 s');
  });

  it('does not end one that keeps the pace, however long it lasts', async () => {
    expect(await refusedAfter(MIN, 1_000)).toBeUndefined();
    expect(await refusedAfter(20 * MIN, 20_000)).toBeUndefined();
  });

  it('does not end one that brings a small record now and then', async () => {
    const inHand = new RecordsInHand();
    const at = (): void => {
      inHand.found();
      inHand.settled();
    };
    expect(await refusedAfter(MIN, 10_000, { inHand, at })).toBeUndefined();
  });

  it('does not count the time in which nothing is read, because storage is slow', async () => {
    expect(await refusedAfter(MIN, 1_000, { storeMs: 20_000 })).toBeUndefined();
  });

  it('does not count the time in which the sender waits for the results of its records', async () => {
    const inHand = new RecordsInHand();
    const at = (): void => {
      inHand.found();
      setTimeout(() => inHand.settled(), 19_500);
    };
    expect(await refusedAfter(MIN, 20_000, { inHand, at })).toBeUndefined();
  });
});
