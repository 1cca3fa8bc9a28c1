import { KeepAttempt } from '../../../src/rejections/keep-attempt';
import { syntheticEvents } from '../../support/e2e-events';
import { call, postStream } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';

const STREAMS = 10;
const EVENTS_OF_STREAM = 1_000;
/** Half of the queue, and one batch that is on its way (src/rejections/rejection-queue.ts). */
const MOST_WAITING = 5_000 + 500;
/** When a wait has run out, no request waits for this long (src/rejections/rejection-keeper.ts). */
const NO_WAIT_MS = 10_000;
const PATIENCE_MS = 300_000;

describe('while PostgreSQL does not store rejections', () => {
  const running = useApp({ APP_ROLE: 'api' });

  afterEach(() => jest.restoreAllMocks());

  /** Sends so many streams at once. Returns their summaries and how long they took together. */
  async function sendStreams(tenant: string, lineOf: (event: string) => string) {
    const bodies = Array.from({ length: STREAMS }, (_, n) =>
      syntheticEvents(EVENTS_OF_STREAM, `${tenant}-${n}`)
        .map(({ line }) => lineOf(line))
        .join('\n'),
    );
    const startMs = performance.now();
    const answers = await Promise.all(bodies.map((body) => postStream(running.url, tenant, body)));
    const tookMs = performance.now() - startMs;
    return { tookMs, summaries: answers.map(({ body }) => body.summary) };
  }

  const notKept = async (): Promise<number> => {
    const { text } = await call(`${running.url}/metrics`);
    return Number(/^streamforge_rejections_total\{endpoint="stream",kept="false"\} (\d+)/m.exec(text)?.[1] ?? 0);
  };

  it(
    'its queue is bounded, responses say what is not kept, and each stream waits once in ten seconds at most',
    async () => {
      const waits = jest.spyOn(KeepAttempt.prototype, 'settledWithin');
      const locker = await running.pool.connect();
      try {
        await locker.query('begin; lock table rejections');
        const { tookMs, summaries } = await sendStreams('locked', (line) => `${line}\n{"broken":${line}}`);
        const [records, accepted, rejected] = [2 * EVENTS_OF_STREAM, EVENTS_OF_STREAM, EVENTS_OF_STREAM];
        for (const summary of summaries) expect(summary).toMatchObject({ records, accepted, rejected, kept: false });
        expect(await notKept()).toBe(STREAMS * EVENTS_OF_STREAM);
        // Counted instead of timed: a stream has many batches with rejections, and a busy machine may take long for each.
        const inTime = await Promise.all(waits.mock.results.map(({ value }) => value as Promise<boolean>));
        const ranOut = inTime.filter((isSettled) => !isSettled).length;
        expect(ranOut).toBeGreaterThan(0);
        expect(ranOut).toBeLessThanOrEqual(STREAMS * (1 + Math.floor(tookMs / NO_WAIT_MS)));
        const after = await sendStreams('clean-after', (line) => line);
        for (const { accepted } of after.summaries) expect(accepted).toBe(EVENTS_OF_STREAM);
      } finally {
        await locker.query('rollback');
        locker.release();
      }
      await eventually(async () => {
        const { text } = await call(`${running.url}/v1/events`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-tenant-id': 'later' },
          body: '{',
        });
        expect(text).not.toContain('"kept"'); // it was queued behind all others
      });
      const { rows } = await running.pool.query<{ stored: number }>(
        "select count(*)::int as stored from rejections where tenant_id = 'locked'",
      );
      expect(rows[0]?.stored).toBeGreaterThan(0);
      expect(rows[0]?.stored).toBeLessThanOrEqual(MOST_WAITING);
    },
    PATIENCE_MS,
  );
});
