import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { createPool } from '../../../src/db/pool';
import type { PreparedEvent } from '../../../src/event/prepare-event';
import { uuidV7 } from '../../../src/event/uuid-v7';
import type { BatchWriter } from '../../../src/ingest/store/batch-writer';
import type { IngestResult } from '../../../src/ingest/store/store-batch';
import { Metrics } from '../../../src/observability/metrics';
import { writerTo } from '../../support/batch-writer';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { prepared } from '../../support/events';
import { eventually } from '../../support/eventually';
import { freePort } from '../../support/processes/free-port';
import { countRows } from '../../support/rows';
import { kinds, poison } from '../../support/prepared-variants';

const MAX_QUEUED_EVENTS = 10_000;
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
const MAX_BATCH_EVENTS = 500;

/** Returns the results of a stream's batch, none of which may have failed. */
function fulfilled(settled: readonly PromiseSettledResult<IngestResult>[]): IngestResult[] {
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

describe('BatchWriter', () => {
  let database: TestDatabase;
  let metrics: Metrics;
  let writer: BatchWriter;
  let holder: PoolClient | undefined;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  beforeEach(() => {
    metrics = new Metrics();
    writer = writerTo(database.pool, metrics);
  });
  afterAll(() => database.drop());

  /** Blocks every commit of an event until the returned function is called. */
  const holdCommits = async (): Promise<() => Promise<void>> => {
    holder = await database.pool.connect();
    await holder.query('begin; lock table outbox in exclusive mode');
    return letGo;
  };

  const letGo = async (): Promise<void> => {
    const client = holder;
    holder = undefined;
    await client?.query('commit');
    client?.release();
  };
  afterEach(letGo);

  const writerWaits = (): Promise<void> =>
    eventually(async () => {
      const waiting = `pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      expect(await countRows(database.pool, waiting)).toBeGreaterThan(0);
    });

  /** Starts a write that waits for the blocked commit, so that later writes queue up. */
  const occupyWriter = async (): Promise<{ first: Promise<IngestResult> }> => {
    const first = writer.write(prepared());
    await writerWaits();
    return { first }; // in an object, or the caller's await would wait for the result
  };

  const sized = (sizeBytes: number): PreparedEvent => {
    const event = prepared();
    return { ...event, event: { ...event.event, sizeBytes } };
  };

  const fromSource = (bodyBytes: number): PreparedEvent => {
    const sourceId = uuidV7();
    const received = { sourceId, requestId: uuidV7(), requestJson: '{}', body: Buffer.alloc(bodyBytes, 'x') };
    const event = prepared();
    return { ...event, event: { ...event.event, sourceId }, received };
  };

  const batchSizes = async (): Promise<{ batches: number; events: number }> => {
    const { values } = await metrics.ingestBatchSize.get();
    const value = (suffix: string) =>
      values.find(({ metricName }) => metricName === `streamforge_ingest_batch_size_${suffix}`)?.value ?? 0;
    return { batches: value('count'), events: value('sum') };
  };

  const queueDepth = async (): Promise<number | undefined> => (await metrics.ingestQueueDepth.get()).values[0]?.value;

  it('I1: resolves only after the commit', async () => {
    const release = await holdCommits();
    const event = prepared();
    let answered = false;
    const answer = writer.write(event).then((result) => {
      answered = true;
      return result;
    });
    await writerWaits();
    expect(answered).toBe(false);
    await expect(countRows(database.pool, `events where id = '${event.event.id}'`)).resolves.toBe(0);
    await release();
    await expect(answer).resolves.toMatchObject({ kind: 'accepted', committed: { id: event.event.id } });
    await expect(countRows(database.pool, `events where id = '${event.event.id}'`)).resolves.toBe(1);
  });

  it('stores the events that arrive during a write as one batch', async () => {
    const release = await holdCommits();
    const { first } = await occupyWriter();
    const others = Array.from({ length: 300 }, () => writer.write(prepared()));
    await expect(queueDepth()).resolves.toBe(300);
    await release();
    const results = await Promise.all([first, ...others]);
    expect(results.every(({ kind }) => kind === 'accepted')).toBe(true);
    await expect(batchSizes()).resolves.toEqual({ batches: 2, events: 301 });
    await expect(queueDepth()).resolves.toBe(0);
  });

  it('writes a second batch at the same time once it is full', async () => {
    const release = await holdCommits();
    const { first } = await occupyWriter();
    const others = Array.from({ length: MAX_BATCH_EVENTS + 1 }, () => writer.write(prepared()));
    await eventually(async () => expect((await batchSizes()).batches).toBe(2));
    await expect(queueDepth()).resolves.toBe(1); // and no third
    await release();
    await Promise.all([first, ...others]);
  });

  it('I2: starts no second batch with a key of the first, so that the first event to arrive is the original', async () => {
    const release = await holdCommits();
    const content = { subject: 'twins' };
    const original = writer.write(prepared(content));
    await writerWaits();
    const twin = writer.write(prepared(content));
    const others = Array.from({ length: MAX_BATCH_EVENTS }, () => writer.write(prepared()));
    await nextTurn();
    await expect(batchSizes()).resolves.toEqual({ batches: 1, events: 1 });
    await release();
    await Promise.all(others);
    expect([(await original).kind, (await twin).kind]).toEqual(['accepted', 'duplicate']);
  });

  it('keeps batches within the limits of events and bytes', async () => {
    const release = await holdCommits();
    const { first } = await occupyWriter();
    const few = Array.from({ length: MAX_BATCH_EVENTS + 1 }, () => writer.write(prepared()));
    const large = Array.from({ length: 3 }, () => writer.write(sized(5 * 1024 * 1024)));
    await release();
    await Promise.all([first, ...few, ...large]);
    // Batches of 1 event, 500 events, 1 event and the first large one, and one large event each.
    await expect(batchSizes()).resolves.toEqual({ batches: 5, events: MAX_BATCH_EVENTS + 5 });
  });

  it('counts the kept request of each event of a source', async () => {
    const release = await holdCommits();
    const { first } = await occupyWriter();
    const large = Array.from({ length: 3 }, () => writer.write(fromSource(5 * 1024 * 1024)));
    await release();
    await Promise.all([first, ...large]);
    await expect(batchSizes()).resolves.toEqual({ batches: 4, events: 4 });
  });

  it('I14: fails immediately when the kept requests that wait are too large, and counts the request of a batch once', async () => {
    const release = await holdCommits();
    const { first } = await occupyWriter();
    const half = MAX_QUEUED_BYTES / 2;
    const requests = [half, half].map((bytes) => {
      const event = fromSource(bytes);
      return writer.writeTogether(Array.from({ length: 3 }, () => ({ ...prepared(), received: event.received })));
    });
    expect(() => void writer.write(prepared())).toThrow(expect.objectContaining({ code: 'overloaded' }) as Error);
    await release();
    await Promise.all([first, ...requests]);
    await expect(writer.write(prepared())).resolves.toMatchObject({ kind: 'accepted' });
    await expect(queueDepth()).resolves.toBe(0);
  });

  it('writes an event that exceeds the batch limit alone', async () => {
    await expect(writer.write(sized(10 * 1024 * 1024))).resolves.toMatchObject({ kind: 'accepted' });
  });

  it.each([
    ['events', () => Array.from({ length: MAX_QUEUED_EVENTS }, () => prepared())],
    ['bytes', () => [sized(MAX_QUEUED_BYTES)]],
  ])(
    'I14: fails immediately when too many %s wait, stores what it accepted, and accepts more later',
    async (_, fill) => {
      const release = await holdCommits();
      const { first } = await occupyWriter();
      const taken = fill().map((event) => writer.write(event));
      const refused = prepared({ eventId: `refused-${_}` });
      expect(() => void writer.write(refused)).toThrow(
        expect.objectContaining({ name: 'Problem', code: 'overloaded', extras: { retryAfterSeconds: 1 } }) as Error,
      );
      await release();
      const results = await Promise.all([first, ...taken]);
      expect(results.every(({ kind }) => kind === 'accepted')).toBe(true);
      await expect(writer.write(refused)).resolves.toMatchObject({ kind: 'accepted' });
    },
  );

  it('makes a stream wait for room instead of failing', async () => {
    const release = await holdCommits();
    const { first } = await occupyWriter();
    const large = writer.write(sized(MAX_QUEUED_BYTES));
    const streams = Array.from({ length: 3 }, () => writer.writeWhenRoom([prepared(), prepared()]));
    await nextTurn();
    await expect(queueDepth()).resolves.toBe(1); // the streams' events are not in the queue
    await release();
    const results = [await first, await large, ...(await Promise.all(streams)).flatMap(fulfilled)];
    expect(kinds(results)).toEqual(Array.from({ length: 8 }, () => 'accepted'));
  });

  it('lets a caller that waits for room give up, and stores none of its events', async () => {
    const release = await holdCommits();
    const { first } = await occupyWriter();
    const large = writer.write(sized(MAX_QUEUED_BYTES));
    const [given, impatient] = [new AbortController(), new AbortController()];
    const [abandoned, kept] = [prepared(), prepared()];
    const waiting = writer.writeWhenRoom([abandoned], impatient.signal);
    const patient = writer.writeWhenRoom([kept], given.signal);
    await nextTurn();
    impatient.abort(new Error('too late'));
    await expect(waiting).rejects.toThrow('too late');
    await expect(writer.writeWhenRoom([abandoned], impatient.signal)).rejects.toThrow('too late');
    await release();
    await Promise.all([first, large]);
    expect(kinds(fulfilled(await patient))).toEqual(['accepted']);
    await expect(countRows(database.pool, `events where id = '${abandoned.event.id}'`)).resolves.toBe(0);
    await expect(countRows(database.pool, `events where id = '${kept.event.id}'`)).resolves.toBe(1);
  });

  it('accepts an empty batch of a stream', async () => {
    await expect(writer.writeWhenRoom([])).resolves.toEqual([]);
  });

  it('gives each caller its own result when new, duplicate, conflicting and poison events arrive together', async () => {
    const subject = prepared().event.subject;
    const writes: [PreparedEvent, string][] = [
      [prepared({ subject, eventId: 'mixed' }, { idempotencyKey: 'mixed' }), 'accepted'],
      [prepared(), 'accepted'],
      [prepared({ subject, eventId: 'mixed' }, { idempotencyKey: 'mixed' }), 'duplicate'],
      [poison(), 'invalid-event'],
      [prepared({}, { idempotencyKey: 'mixed' }), 'idempotency-key-reused'],
      [prepared({ eventId: 'mixed' }), 'event-id-conflict'],
      [prepared(), 'accepted'],
    ];
    const answers = writes.map(([event]) => writer.write(event));
    const stream = writer.writeWhenRoom([prepared(), prepared({ subject, eventId: 'mixed' })]);
    expect(kinds(await Promise.all(answers))).toEqual(writes.map(([, kind]) => kind));
    expect(kinds(fulfilled(await stream))).toEqual(['accepted', 'duplicate']);
  });

  it('stores each of many concurrent writes through several writers exactly once', async () => {
    const writers = [writer, writerTo(database.pool), writerTo(database.pool, metrics)];
    const subjects = Array.from({ length: 200 }, () => prepared().event.subject);
    const results = await Promise.all(
      writers.flatMap((each) => subjects.map((subject) => each.write(prepared({ subject, eventType: 'many.writes' })))),
    );
    expect(results.filter(({ kind }) => kind === 'accepted')).toHaveLength(200);
    expect(results.filter(({ kind }) => kind === 'duplicate')).toHaveLength(400);
    await expect(countRows(database.pool, `events where type = 'many.writes'`)).resolves.toBe(200);
  });

  it('fails every write while the database is unreachable, and continues when it is back', async () => {
    const nowhere = createPool(`postgres://postgres@127.0.0.1:${await freePort()}/none`, 'nowhere');
    let pool = nowhere;
    const either = { query: (statement: never) => pool.query(statement) } as never;
    const throughPool = writerTo(either, metrics);
    const single = throughPool.write(prepared());
    const stream = throughPool.writeWhenRoom([prepared(), prepared()]);
    const [lost] = await Promise.allSettled([single]);
    const lostOfStream = await stream;
    pool = database.pool;
    await expect(throughPool.write(prepared())).resolves.toMatchObject({ kind: 'accepted' });
    await nowhere.end();
    const unavailable = { status: 'rejected', reason: { code: 'storage-unavailable' } };
    expect([lost, ...lostOfStream]).toMatchObject([unavailable, unavailable, unavailable]);
  });

  it('never cuts apart events that belong together', async () => {
    await holdCommits();
    const { first } = await occupyWriter();
    const before = Array.from({ length: 400 }, () => writer.write(prepared()));
    const together = writer.writeTogether(Array.from({ length: 700 }, () => prepared()));
    const after = writer.write(prepared());
    await letGo();
    await Promise.all([first, ...before, after]);
    expect(kinds(fulfilled(await together))).toEqual(Array.from({ length: 700 }, () => 'accepted'));
    const { batches, events } = await batchSizes();
    expect(events).toBe(1_102);
    expect(batches).toBeLessThanOrEqual(4); // 1, 400, 700 and 1
    const { rows } = await database.pool.query<{ n: number }>(
      'select count(*)::int as n from events group by xmin::text order by n desc limit 1',
    );
    expect(rows[0]?.n).toBe(700);
  });

  it('lets events that belong together wait for a key that is being written', async () => {
    const twin = prepared();
    const holding = await holdCommits();
    const first = writer.write(twin);
    await writerWaits();
    const together = writer.writeTogether([prepared(), { ...prepared(), keyDigest: twin.keyDigest }, prepared()]);
    await holding();
    await first;
    expect(await together).toHaveLength(3);
  });
});
