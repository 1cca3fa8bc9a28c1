import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { QueryConfig } from 'pg';
import type { NewRejection } from '../../../src/rejections/rejection';
import { RejectionStore } from '../../../src/rejections/rejection-store';
import { findRejection, insertRejections, readRejections } from '../../../src/rejections/rejections.queries';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { rowsReadWhile } from '../../support/rows-read';
import { countRows } from '../../support/rows';

const MB = 1024 * 1024;
const SETTINGS = { MAX_EVENT_BYTES: 262_144 };

function rejection(fields: Partial<NewRejection> = {}): NewRejection {
  const body = Buffer.from('{}');
  const receivedAt = new Date().toISOString(); // a request is received before its rejections get their ids
  return {
    id: uuidV7(),
    tenantId: 'acme',
    sourceId: '0190d0c0-0000-7000-8000-000000000001',
    endpoint: 'source',
    format: 'source',
    code: 'invalid-event',
    pointer: null,
    message: 'mapping.subject: /id finds nothing',
    eventType: null,
    recordNumber: null,
    requestKey: null,
    conflictsWith: null,
    correlationId: 'c-1',
    receivedAt,
    contentType: null,
    sizeBytes: body.length,
    requestJson: null,
    body,
    ...fields,
  };
}

const many = (count: number, fields: Partial<NewRejection> = {}): NewRejection[] =>
  Array.from({ length: count }, () => rejection(fields));

/** PostgreSQL refuses U+0000 in a text. */
const unstorable = (): NewRejection => rejection({ contentType: '\0' });

describe('RejectionStore', () => {
  let database: TestDatabase;
  let store: RejectionStore;
  /** Number of rows of each statement. */
  let statements: number[];
  /** Errors that the next statements fail with. */
  let failures: Error[];
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  beforeEach(() => {
    statements = [];
    failures = [];
    const query = (statement: QueryConfig<string[]>): unknown => {
      statements.push((JSON.parse(statement.values?.[0] ?? '[]') as unknown[]).length);
      const failure = failures.shift();
      return failure ? Promise.reject(failure) : database.pool.query(statement);
    };
    store = new RejectionStore({ query } as never, SETTINGS);
  });
  afterAll(() => database.drop());

  const stored = (rejections: readonly NewRejection[]): Promise<number> =>
    countRows(database.pool, `rejections where id in (${rejections.map(({ id }) => `'${id}'`).join(', ')})`);

  it('splits a request into statements of at most 500 rows', async () => {
    const rejections = many(1_100);
    await store.keep(rejections);
    expect(statements).toEqual([500, 500, 100]);
    await expect(stored(rejections)).resolves.toBe(1_100);
  });

  it('writes rejections that come one after the other with one statement', async () => {
    const kept = await Promise.all(
      many(50).map((one) => new Promise<boolean>((resolve) => store.tryKeep(one, resolve))),
    );
    expect([kept.length, kept.every(Boolean), statements]).toEqual([50, true, [50]]);
  });

  it('splits rejections into statements of at most 8 MB, which includes the kept request', async () => {
    const large = { body: Buffer.alloc(2 * MB), requestJson: JSON.stringify('x'.repeat(MB)) };
    await store.keep(many(5, large));
    expect(statements).toEqual([2, 2, 1]);
  });

  it.each([
    ['rows', () => many(10_000)],
    ['bytes', () => many(1, { body: Buffer.alloc(31 * MB), requestJson: JSON.stringify('x'.repeat(MB)) })],
  ])('I14: fails immediately when too many %s wait, and accepts more later', async (_, fill) => {
    const first = store.keep([rejection()]);
    await setImmediate(); // it is being written
    const waiting = store.keep(fill());
    expect(() => void store.keep([rejection()])).toThrow(expect.objectContaining({ code: 'overloaded' }) as Error);
    await Promise.all([first, waiting]);
    await store.keep([rejection()]);
  });

  it('repeats a statement after a deadlock', async () => {
    failures = [Object.assign(new Error('deadlock detected'), { code: '40P01' })];
    const rejections = many(2);
    await store.keep(rejections);
    await expect(stored(rejections)).resolves.toBe(2);
  });

  it.each([
    ['deadlock', '40P01'],
    ['lock timeout', '55P03'],
  ])('asks for the request again after a second %s', async (_, code) => {
    failures = [1, 2].map(() => Object.assign(new Error('no lock'), { code }));
    await expect(store.keep(many(2))).rejects.toMatchObject({
      code: 'storage-unavailable',
      extras: { retryAfterSeconds: 2 },
    });
    await store.keep([rejection()]);
  });

  it('fails only the request with a row that PostgreSQL cannot store', async () => {
    const [before, bad, after] = [many(2), [rejection(), unstorable()], many(2)];
    const results = await Promise.allSettled([
      store.keep([rejection()]),
      ...[before, bad, after].map((one) => store.keep(one)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    await expect(stored([...before, ...bad, ...after])).resolves.toBe(4);
  });

  it('does not keep what it may leave out once half of the queue is full, so that sources find room', async () => {
    const first = store.keep([rejection()]);
    await setImmediate(); // it is being written
    const optional = many(6_000);
    const kept: boolean[] = [];
    const queued = optional.map((one) => store.tryKeep(one, (isKept) => kept.push(isKept)));
    expect(queued.filter((isQueued) => isQueued)).toHaveLength(5_000);
    await Promise.all([first, store.keep(many(4_000))]);
    expect(kept.filter((isKept) => isKept)).toHaveLength(5_000);
    await expect(stored(optional)).resolves.toBe(5_000);
  });

  it('finds the row that PostgreSQL refuses among many by halves', async () => {
    const rejections = [...many(200), unstorable(), ...many(200)];
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const first = store.keep([rejection()]);
    const kept = await Promise.all(
      rejections.map((one) => new Promise<boolean>((resolve) => store.tryKeep(one, resolve))),
    );
    await first;
    expect(kept.indexOf(false)).toBe(200);
    expect(kept.filter((isKept) => isKept)).toHaveLength(400);
    expect(statements.length).toBeLessThan(25);
    expect(warned.mock.calls).toEqual([[expect.objectContaining({ msg: 'rejections.not-stored', count: 1 })]]);
    warned.mockRestore();
  });

  describe('while PostgreSQL refuses some for now, as by a trigger of the operator, and keeps others', () => {
    beforeEach(async () => {
      store = new RejectionStore(database.pool, SETTINGS);
      await database.pool.query(`
        create function refuse() returns trigger language plpgsql as
          $$ begin raise exception 'not this one' using errcode = '42501'; end $$;
        create trigger refuse before insert on rejections
           for each row when (new.code = 'malformed-body') execute function refuse()`);
    });
    afterEach(() => database.pool.query('drop function refuse() cascade'));

    const refused = (): NewRejection => rejection({ code: 'malformed-body' });
    const keepEach = (rejections: readonly NewRejection[]): Promise<boolean[]> =>
      Promise.all(rejections.map((one) => new Promise<boolean>((resolve) => store.tryKeep(one, resolve))));

    it('only the request with one of them gets 503', async () => {
      const [before, bad, after] = [many(2), [rejection(), refused()], many(2)];
      const results = await Promise.allSettled([before, bad, after].map((one) => store.keep(one)));
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(results[1]).toMatchObject({ reason: { code: 'storage-unavailable' } });
      await expect(stored([...before, ...bad, ...after])).resolves.toBe(4);
    });

    it('a bounded number of them is told apart from the others', async () => {
      let taken = 0;
      const count = (): void => void (taken += 1);
      database.pool.on('acquire', count);
      const kept = await keepEach([rejection(), ...Array.from({ length: 399 }, refused)]);
      database.pool.off('acquire', count);
      expect(kept.filter(Boolean)).toHaveLength(1);
      expect(taken).toBeLessThan(200);
    });
  });

  it('stores size and digest of a record of which only the beginning is at hand', async () => {
    const one = rejection({ body: Buffer.from('{"a'), sizeBytes: 3_000_000_000, digest: Buffer.alloc(32, 7) });
    await store.keep([one]);
    await expect(findRejection(database.pool, one.id, null)).resolves.toMatchObject({
      ...{ body: Buffer.from('{"a'), sizeBytes: 2 ** 31 - 1, digest: '07'.repeat(32), status: 'OPEN', eventId: null },
    });
  });

  it('stores a request to a source whole, and the beginning of an event, with the size and digest of all bytes', async () => {
    const body = Buffer.alloc(600 * 1024, 'x');
    const fields = { body, sizeBytes: body.length };
    const [whole, cut] = [rejection(fields), rejection({ ...fields, endpoint: 'stream', format: 'event' })];
    await store.keep([whole, cut]);
    const kept = await readRejections(database.pool, [whole.id, cut.id]);
    const digest = hash('sha256', body);
    expect(kept.map((one) => [one.body.length, one.sizeBytes, one.digest])).toEqual([
      [body.length, body.length, digest],
      [SETTINGS.MAX_EVENT_BYTES, body.length, digest],
    ]);
  });

  it('finds the request of a long batch in time that grows with the batch', async () => {
    const request = { correlationId: 'long', receivedAt: new Date().toISOString() };
    const batch = [rejection({ ...request, requestJson: '{}' }), ...many(999, request)];
    const ids = batch.map(({ id }) => id);
    await store.keep(batch);
    await database.pool.query('vacuum analyze rejections');
    const read = await rowsReadWhile(database.pool, (db) => readRejections(db, ids));
    expect(read).toBeGreaterThanOrEqual(ids.length);
    expect(read).toBeLessThan(4 * ids.length);
  });

  it('shows the request with each of its rejections, and with those of no other request', async () => {
    const [first, second, other] = [rejection({ requestJson: '{"path":"/a"}' }), rejection(), rejection()];
    for (const one of [first, second]) one.receivedAt = first.receivedAt;
    other.receivedAt = new Date(Date.parse(first.receivedAt) + 1).toISOString();
    const elsewhere = rejection({ receivedAt: first.receivedAt, tenantId: 'other' });
    await insertRejections(database.pool, [first, second, other, elsewhere], 100);
    const shown = await Promise.all(
      [first, second, other, elsewhere].map(({ id }) => findRejection(database.pool, id, null)),
    );
    expect(shown.map((one) => one?.requestJson)).toEqual(['{"path":"/a"}', '{"path":"/a"}', null, null]);
  });
});
