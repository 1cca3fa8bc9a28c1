import * as path from 'node:path';
import { statusCounts, TestCluster } from '../../support/processes/e2e-cluster';
import { getEvent, postStream, usageOf } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import type { TestProcess } from '../../support/processes/process';

/** Makes the usage meter of a process misbehave for the types `test.*`. */
const MISBEHAVING = {
  NODE_OPTIONS: `--require ${path.resolve(__dirname, '../../support/processes/misbehaving-handler.js')}`,
};
const COPIES = { DLQ_COPY: 'true' };
const RULES = { MAX_RETRY_ATTEMPTS: '3', RETRY_BACKOFF_MS: '400,800', RETRY_JITTER: '0.2' };

describe('failing handlers in real processes', () => {
  let cluster: TestCluster;
  let api: TestProcess;
  beforeAll(async () => {
    cluster = await TestCluster.create();
    const sizes = { RABBITMQ_PREFETCH: '500', WORKER_BATCH_SIZE: '100', RECONCILE_AFTER_SECONDS: '60' };
    [api] = await Promise.all([
      cluster.start('api'),
      cluster.start('publisher', { RECONCILE_AFTER_SECONDS: '60', ...COPIES }),
      cluster.start('worker', { ...MISBEHAVING, ...RULES, ...COPIES, ...sizes }),
    ]);
  });
  afterAll(() => cluster.drop());

  const send = async (tenant: string, types: readonly string[]): Promise<void> => {
    const lines = types.map((type, i) =>
      JSON.stringify({ eventId: `e${i}`, eventType: type, subject: 's', payload: { i } }),
    );
    const answer = await postStream(api.url, tenant, lines.map((line) => `${line}\n`).join(''));
    expect(answer.body.summary).toMatchObject({ accepted: types.length });
  };
  const settled = (tenant: string, counts: Record<string, number>, timeoutMs = 20_000) =>
    eventually(async () => expect(await statusCounts(cluster.pool, tenant)).toEqual(counts), timeoutMs);
  const attemptsOf = async (tenant: string) => (await getEvent(api.url, tenant, 'e0')).body.attempts;
  const rowsOf = async (sql: string, tenant: string): Promise<number> =>
    (await cluster.pool.query(`${sql} e.tenant_id = $1`, [tenant])).rowCount ?? 0;

  it('record RETRY, RETRY, SUCCESS with the configured waits for a handler that fails twice', async () => {
    await send('twice', ['test.twice']);
    await settled('twice', { COMPLETED: 1 });
    const attempts = await attemptsOf('twice');
    expect(attempts.map(({ attemptNumber, status }) => [attemptNumber, status])).toEqual([
      [1, 'RETRY'],
      [2, 'RETRY'],
      [3, 'SUCCESS'],
    ]);
    const at = attempts.map(({ createdAt }) => Date.parse(createdAt));
    const waits = [(at[1] as number) - (at[0] as number), (at[2] as number) - (at[1] as number)];
    // The wait with its jitter, and the way back: due retries are looked for every 200 ms, then published and delivered.
    expect(waits[0]).toBeGreaterThanOrEqual(320);
    expect(waits[0]).toBeLessThan(480 + 1_000);
    expect(waits[1]).toBeGreaterThanOrEqual(640);
    expect(waits[1]).toBeLessThan(960 + 1_000);
    expect(await usageOf(api.url, 'twice')).toBe(1);
  });

  it('end after MAX_RETRY_ATTEMPTS attempts with one dead letter and one message in events.dlq', async () => {
    await send('failing', ['test.failing']);
    await settled('failing', { DLQ: 1 });
    const attempts = await attemptsOf('failing');
    expect(attempts.map(({ status, reasonCode }) => [status, reasonCode])).toEqual([
      ['RETRY', 'HANDLER_ERROR'],
      ['RETRY', 'HANDLER_ERROR'],
      ['DLQ', 'HANDLER_ERROR'],
    ]);
    expect(attempts[2]).toMatchObject({ errorMessage: 'it always breaks', exhausted: true });
    expect(await rowsOf('select from dead_letters e where', 'failing')).toBe(1);
    await eventually(async () =>
      expect(
        await rowsOf(
          `select from outbox o join events e on e.id = o.event_id where o.destination = 'dlq' and o.status = 'PUBLISHED' and`,
          'failing',
        ),
      ).toBe(1),
    );
  });

  it('dead-letter an event after one attempt on a non-retryable error', async () => {
    await send('invalid', ['test.invalid']);
    await settled('invalid', { DLQ: 1 });
    expect(await attemptsOf('invalid')).toMatchObject([
      { attemptNumber: 1, status: 'DLQ', reasonCode: 'INVALID_PAYLOAD' },
    ]);
  });

  it('I10: complete 99 of 100 events in their first attempt when the SQL of one event fails', async () => {
    await send(
      'sql',
      Array.from({ length: 100 }, (_, i) => (i === 41 ? 'test.sql' : 'order.paid')),
    );
    await eventually(async () => expect((await statusCounts(cluster.pool, 'sql')).COMPLETED).toBe(99));
    const first = `select from processing_attempts a join events e on e.id = a.event_id where a.status = 'SUCCESS' and a.attempt_number = 1 and`;
    expect(await rowsOf(first, 'sql')).toBe(99);
    await settled('sql', { COMPLETED: 99, DLQ: 1 });
  });

  // The full number, 50 000, is in `npm run bench -- --only fairness`.
  it('I10: delay another tenant by at most 5 s with 2000 failing events of one tenant', async () => {
    await send(
      'flood',
      Array.from({ length: 2_000 }, () => 'test.failing'),
    );
    const startedMs = Date.now();
    await send(
      'calm',
      Array.from({ length: 20 }, () => 'order.paid'),
    );
    await settled('calm', { COMPLETED: 20 });
    expect(Date.now() - startedMs).toBeLessThan(5_000);
    expect(await rowsOf(`select from event_state s join events e on e.id = s.event_id where`, 'flood')).toBeGreaterThan(
      0,
    );
  });
});
