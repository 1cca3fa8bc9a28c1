import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { recordQuotaRefusal } from '../../../src/access/limits/quota-refusals.queries';
import { ADVISORY_LOCKS, tryTransactionLock } from '../../../src/db/advisory-locks';
import { uuidV7 } from '../../../src/event/uuid-v7';
import type { ConditionKind } from '../../../src/operator-events/condition';
import { OperatorEvents } from '../../../src/operator-events/operator-events';
import { LocalWakeUp } from '../../../src/redis/wake-up';
import type { RequestSample } from '../../../src/sources/inspector/request-sample';
import { RequestSamples } from '../../../src/sources/inspector/request-samples';
import { keepSamples } from '../../../src/sources/inspector/samples.queries';
import { testSettings } from '../../support/app';
import { disable, givenDelivery, givenDestinationRow } from '../../support/deliveries';
import { removeEvents, useDatabase } from '../../support/fixtures/database';
import { losingCommits } from '../../support/losing-commits';
import { countRows, givenEvent, setEntries } from '../../support/rows';
import { boxOf, storeSource } from '../../support/sources';

const database = useDatabase();
beforeAll(() => {
  Logger.overrideLogger(false);
});
beforeEach(async () => {
  await removeEvents(database.pool);
  await database.pool.query(
    `truncate destinations, destination_failures, deliveries, sources, source_samples, metric_rollup, quota_refusals,
              operator_conditions, condition_raises, api_keys, silence_expectations, silence_heard, silence_minutes,
              usage_slices`,
  );
});

/** A process that has just started. */
const started = (pool: Pool = database.pool): OperatorEvents =>
  new OperatorEvents(testSettings(), pool, new LocalWakeUp());

/** Three processes look at the same time, and again after a restart. */
async function threeLook(): Promise<void> {
  for (let i = 0; i < 2; i++) await Promise.all([started(), started(), started()].map((each) => each.runOnce()));
}

/** Whatever does not hold any more has not held for longer than it takes to be cleared. */
const letFade = () =>
  database.pool.query(
    `update operator_conditions set clearing_since = now() - interval '2 minutes' where clearing_since is not null`,
  );

async function told(): Promise<string[]> {
  const { rows } = await database.pool.query<{ type: string; payload: string }>(
    `select type, payload from events where tenant_id = 'streamforge' order by id`,
  );
  return rows.map(({ type, payload }) => `${type} ${(JSON.parse(payload) as { state: string }).state}`);
}

async function payloads(): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query<{ payload: string }>(
    `select payload from events where tenant_id = 'streamforge' order by id`,
  );
  return rows.map(({ payload }) => JSON.parse(payload) as Record<string, unknown>);
}

async function givenFailing(tenantId = 'acme'): Promise<string> {
  const id = await givenDestinationRow(database.pool, { tenantId });
  await database.pool.query(
    `insert into destination_failures (destination_id, failing_since, last_reason_code, last_status_code)
     values ($1, now() - interval '10 minutes', 'HTTP_5XX', 503)`,
    [id],
  );
  return id;
}
const recover = () => database.pool.query('delete from destination_failures');

async function sample(sourceId: string, result: 'unverified' | 'accepted', count: number): Promise<void> {
  const made = { result, code: result === 'unverified' ? 'signature-invalid' : null };
  const rows = Array.from({ length: count }, () => ({ sourceId, id: uuidV7(), sample: JSON.stringify(made) }));
  await keepSamples(database.pool, rows, 50);
}

async function givenKey(name: string, age: string, left: string, rotated = false): Promise<void> {
  await database.pool.query(
    `insert into api_keys (id, tenant_id, name, digest, scopes, created_by, created_at, expires_at, rotated, version)
     values ($1, 'acme', $1, '', '{ingest}', 'test', now() - $2::interval, now() + $3::interval, $4, 1)`,
    [name, age, left, rotated],
  );
}

/** The migrations have made the partitions; one is put aside. */
async function hidePartition(): Promise<() => Promise<unknown>> {
  const { rows } = await database.pool.query<{ name: string }>(
    `select 'outbox' || to_char(now() + interval '1 day', '"_d"YYYYMMDD') as name`,
  );
  const name = rows[0]?.name ?? '';
  await database.pool.query(`alter table ${name} rename to hidden`);
  return () => database.pool.query(`alter table hidden rename to ${name}`);
}

/** How each kind comes, and how it goes. */
const CASES: readonly [ConditionKind, string, () => Promise<() => Promise<unknown>>][] = [
  [
    'destination.failing',
    'destination.recovered',
    async () => {
      await givenFailing();
      return recover;
    },
  ],
  [
    'destination.disabled',
    'destination.disabled',
    async () => {
      const id = await givenFailing();
      await disable(database.pool, id, 'answered 410 Gone');
      return async () => {
        await recover();
        await database.pool.query('update destinations set enabled = true, disabled_reason = null');
      };
    },
  ],
  [
    'deadletters.growing',
    'deadletters.growing',
    async () => {
      const destinationId = await givenDestinationRow(database.pool);
      for (let i = 0; i < 10; i++) {
        const failed = { status: 'FAILED', lastReasonCode: 'HTTP_4XX', lastStatusCode: 422, lastError: 'no' } as const;
        await givenDelivery(database.pool, { eventId: uuidV7(), destinationId, ...failed });
      }
      return () => database.pool.query(`update deliveries set failed_at = now() - interval '11 minutes'`);
    },
  ],
  [
    'rejections.growing',
    'rejections.growing',
    async () => {
      await database.pool.query(
        `insert into metric_rollup (at, step_seconds, measure, dimension, tenant_id, key, bucket, count)
         values (now() - interval '1 minute', 10, 'rejected', 'tenant', 'acme', 'acme', 0, 60)`,
      );
      return () => database.pool.query(`update metric_rollup set at = now() - interval '11 minutes'`);
    },
  ],
  [
    'source.verification-failing',
    'source.verification-failing',
    async () => {
      const { row } = await storeSource(database.pool, await boxOf(database.pool), {});
      await sample(row.id, 'unverified', 5);
      return () => sample(row.id, 'accepted', 5);
    },
  ],
  [
    'outbox.lagging',
    'outbox.lagging',
    async () => {
      const event = await givenEvent(database.pool);
      await database.pool.query(`update outbox set created_at = now() - interval '2 minutes'`);
      return () => setEntries(database.pool, [event], 'PUBLISHED');
    },
  ],
  [
    'quota.reached',
    'quota.reached',
    async () => {
      await recordQuotaRefusal(database.pool, 'acme', 'events', 300);
      return () => database.pool.query(`update quota_refusals set refused_at = now() - interval '6 minutes'`);
    },
  ],
  [
    'source.silent',
    'source.resumed',
    async () => {
      const { row } = await storeSource(database.pool, await boxOf(database.pool), {});
      await database.pool.query('alter table sources disable trigger raise_revision');
      await database.pool.query(
        `update sources set expect_every_seconds = 60, updated_at = now() - interval '2 minutes'`,
      );
      await database.pool.query('alter table sources enable trigger raise_revision');
      await sample(row.id, 'unverified', 1);
      return () => sample(row.id, 'accepted', 1);
    },
  ],
  [
    'key.expiring',
    'key.expiring',
    async () => {
      await givenKey('expiring', '90 days', '13 days');
      await givenKey('fresh', '1 day', '29 days');
      await givenKey('short-lived', '1 day', '4 days');
      await givenKey('expired', '90 days', '-1 days');
      await givenKey('rotated', '90 days', '1 day', true);
      return () => database.pool.query(`update api_keys set revoked_at = now()`);
    },
  ],
  ['partition.missing', 'partition.missing', hidePartition],
];

describe.each(CASES)('%s', (kind, clearedKind, arrange) => {
  it('is raised once and cleared once, over three processes and restarts', async () => {
    const relieve = await arrange();
    await threeLook();
    await expect(told()).resolves.toEqual([`${kind} raised`]);
    await relieve();
    await threeLook();
    await expect(told()).resolves.toEqual([`${kind} raised`]);
    await letFade();
    await threeLook();
    await expect(told()).resolves.toEqual([`${kind} raised`, `${clearedKind} cleared`]);
    const [first, second] = await payloads();
    expect(second).toMatchObject({ incident: first?.incident, subject: first?.subject, since: first?.since });
    await expect(countRows(database.pool, 'operator_conditions')).resolves.toBe(0);
  });
});

describe('an operator event', () => {
  it('I1: is stored with its outbox entry, and both with the condition or none of them', async () => {
    await givenFailing();
    const dying = started(
      losingCommits(database.pool, { when: 'before', times: 1, having: 'insert into operator_conditions' }),
    );
    await expect(dying.runOnce()).rejects.toThrow('Connection terminated');
    await expect(told()).resolves.toEqual([]);
    await expect(countRows(database.pool, 'operator_conditions')).resolves.toBe(0);
    await threeLook();
    await expect(told()).resolves.toEqual(['destination.failing raised']);
    await expect(countRows(database.pool, `outbox where status = 'PENDING'`)).resolves.toBe(1);
  });

  it('is not repeated by a process that does not know that its commit succeeded', async () => {
    await givenFailing();
    const dying = started(
      losingCommits(database.pool, { when: 'after', times: 1, having: 'insert into operator_conditions' }),
    );
    await expect(dying.runOnce()).rejects.toThrow('Connection terminated');
    await threeLook();
    await expect(told()).resolves.toEqual(['destination.failing raised']);
  });

  it('tells the same destination again after it had recovered', async () => {
    const id = await givenFailing();
    await threeLook();
    await recover();
    await threeLook();
    await letFade();
    await threeLook();
    await database.pool.query(
      `insert into destination_failures (destination_id, failing_since, last_reason_code)
       values ($1, now() - interval '6 minutes', 'TIMEOUT')`,
      [id],
    );
    await threeLook();
    await expect(told()).resolves.toEqual([
      'destination.failing raised',
      'destination.recovered cleared',
      'destination.failing raised',
    ]);
  });

  const failAgain = (id: string) =>
    database.pool.query(
      `insert into destination_failures (destination_id, failing_since, last_reason_code)
       values ($1, now() - interval '6 minutes', 'TIMEOUT')`,
      [id],
    );
  const recoverFor = async (period: string) => {
    await recover();
    await threeLook();
    await database.pool.query(
      `update operator_conditions set clearing_since = now() - $1::interval where clearing_since is not null`,
      [period],
    );
    await threeLook();
  };
  /** How often it was told, as r for raised and c for cleared. */
  const line = async (): Promise<string> => (await told()).map((one) => one.split(' ')[1]?.[0]).join('');

  it('tells the third time within an hour that it is flapping, and holds it until it is stable', async () => {
    const id = await givenFailing();
    await threeLook();
    for (let i = 0; i < 6; i++) {
      await recoverFor('29 minutes');
      await failAgain(id);
      await threeLook();
    }
    await expect(line()).resolves.toBe('rcrcr');
    const third = (await payloads()).at(-1);
    expect(third).toMatchObject({
      flapping: true,
      summary: expect.stringContaining('told again when it has been over for 30 minutes.') as string,
    });
    expect((await payloads()).slice(0, -1).every((payload) => !('flapping' in payload))).toBe(true);
    await recoverFor('30 minutes');
    await expect(line()).resolves.toBe('rcrcrc');
    expect((await payloads()).at(-1)).toMatchObject({ flapping: true, incident: third?.incident });
  });

  it('is not flapping when it comes back after more than an hour', async () => {
    const id = await givenFailing();
    await threeLook();
    for (let i = 0; i < 4; i++) {
      await recoverFor('2 minutes');
      await database.pool.query(`update condition_raises set raised_at = raised_at - interval '31 minutes'`);
      await failAgain(id);
      await threeLook();
    }
    await expect(line()).resolves.toBe('rcrcrcrcr');
    await expect(countRows(database.pool, 'condition_raises')).resolves.toBe(2);
  });

  it('bounds the events of a storm that comes and goes', async () => {
    for (let i = 0; i < 20; i++) await givenFailing();
    const ids = (await database.pool.query<{ id: string }>('select id from destinations')).rows;
    await threeLook();
    for (let i = 0; i < 4; i++) {
      await recoverFor('2 minutes');
      for (const { id } of ids) await failAgain(id);
      await threeLook();
    }
    await expect(line()).resolves.toBe('rcrcr');
  });

  it('tells nothing of a success between two failures that come soon after each other', async () => {
    await givenFailing();
    await threeLook();
    await recover();
    await threeLook();
    await database.pool.query(
      `insert into destination_failures (destination_id, last_reason_code) select id, 'TIMEOUT' from destinations`,
    );
    await threeLook();
    await letFade();
    await threeLook();
    await expect(told()).resolves.toEqual(['destination.failing raised']);
  });

  it('does not say that a destination has recovered when it was disabled', async () => {
    const id = await givenFailing();
    await threeLook();
    await recover();
    await disable(database.pool, id, 'no success for 120 hours');
    await threeLook();
    await letFade();
    await threeLook();
    await expect(told()).resolves.toEqual(['destination.failing raised', 'destination.disabled raised']);
  });

  it('is raised by no destination that an operator has disabled or paused', async () => {
    const disabled = await givenFailing();
    await disable(database.pool, disabled);
    const paused = await givenFailing();
    await database.pool.query('update destinations set paused_at = now() where id = $1', [paused]);
    await threeLook();
    await expect(told()).resolves.toEqual([]);
  });

  it('is raised by no destination of operator events, whose failures are only noted', async () => {
    const id = await givenFailing('streamforge');
    await threeLook();
    await disable(database.pool, id, 'answered 410 Gone');
    await threeLook();
    await expect(told()).resolves.toEqual([]);
    await expect(countRows(database.pool, `operator_conditions where kind = 'receiver.failing'`)).resolves.toBe(1);
  });

  it('is not raised for a source whose verified requests strangers have crowded out of its samples', async () => {
    const { row } = await storeSource(database.pool, await boxOf(database.pool), {});
    await database.pool.query('alter table sources disable trigger raise_revision');
    await database.pool.query(`update sources set expect_every_seconds = 60, updated_at = now() - interval '1 hour'`);
    await database.pool.query('alter table sources enable trigger raise_revision');
    await sample(row.id, 'accepted', 2);
    for (let i = 0; i < 3; i++) await sample(row.id, 'unverified', 50);
    await threeLook();
    await expect(countRows(database.pool, 'source_samples')).resolves.toBe(51);
    expect(await told()).not.toContain('source.silent raised');
  });

  it('finds the verified request of a burst whose newest 50 requests are of strangers', async () => {
    const { row } = await storeSource(database.pool, await boxOf(database.pool), {});
    const samples = new RequestSamples(database.pool);
    const note = (result: RequestSample['result']): void => {
      const made = (): Partial<RequestSample> => ({ id: uuidV7(), result });
      samples.note(row.id, made as () => RequestSample, result !== 'unverified');
    };
    for (let i = 0; i < 121; i++) note(i % 60 === 0 && i < 120 ? 'accepted' : 'unverified');
    await samples.write();
    const ofResult = (result: string) =>
      countRows(database.pool, `source_samples where sample->>'result' = '${result}'`);
    await expect(Promise.all([ofResult('accepted'), ofResult('unverified')])).resolves.toEqual([1, 50]);
  });

  it('is raised at a threshold of which no whole number is a fifth', async () => {
    const destinationId = await givenDestinationRow(database.pool);
    const failed = { status: 'FAILED', lastReasonCode: 'HTTP_4XX', lastStatusCode: 422, lastError: 'no' } as const;
    for (let i = 0; i < 6; i++) await givenDelivery(database.pool, { eventId: uuidV7(), destinationId, ...failed });
    await database.pool.query(
      `insert into metric_rollup (at, step_seconds, measure, dimension, tenant_id, key, bucket, count)
       values (now() - interval '1 minute', 10, 'rejected', 'tenant', 'acme', 'acme', 0, 7)`,
    );
    const settings = testSettings({ OPERATOR_GROWING_DEAD_LETTERS: '6', OPERATOR_GROWING_REJECTIONS: '7' });
    await new OperatorEvents(settings, database.pool, new LocalWakeUp()).runOnce();
    await expect(told()).resolves.toEqual(['deadletters.growing raised', 'rejections.growing raised']);
  });

  it('keeps the figures of what is raised as they were read last', async () => {
    await givenFailing();
    await threeLook();
    const figures = async () => {
      const { rows } = await database.pool.query<{ figures: { statusCode: number } }>(
        'select figures from operator_conditions',
      );
      return rows.map((row) => row.figures.statusCode);
    };
    await expect(figures()).resolves.toEqual([503]);
    await database.pool.query('update destination_failures set last_status_code = 500');
    await threeLook();
    await expect(figures()).resolves.toEqual([500]);
    await expect(told()).resolves.toEqual(['destination.failing raised']);
  });

  it('tells that the database fills what it may use', async () => {
    const watched = (OPERATOR_STORAGE_GB: number) =>
      new OperatorEvents({ ...testSettings(), OPERATOR_STORAGE_GB }, database.pool, new LocalWakeUp());
    await watched(1_000).runOnce();
    await expect(told()).resolves.toEqual([]);
    await watched(0.001).runOnce();
    await watched(1_000).runOnce();
    await letFade();
    await watched(1_000).runOnce();
    await expect(told()).resolves.toEqual(['storage.filling raised', 'storage.filling cleared']);
  });

  it('is not cleared while others leave it no place among the rejections that are read', async () => {
    const reject = (tenants: string, count: number) =>
      database.pool.query(
        `insert into metric_rollup (at, step_seconds, measure, dimension, tenant_id, key, bucket, count)
         select now() - interval '1 minute', 10, 'rejected', 'tenant', t, t, 0, $2 from unnest($1::text[]) t`,
        [tenants.split(' '), count],
      );
    await reject('acme', 60);
    await threeLook();
    await reject(Array.from({ length: 1_000 }, (_, i) => `t${i}`).join(' '), 100);
    await threeLook();
    await letFade();
    await threeLook();
    await expect(told()).resolves.toEqual(['rejections.growing raised', 'rejections.growing raised']);
  });

  it('is not cleared while more new dead letters of others come than are read', async () => {
    const destinationId = await givenDestinationRow(database.pool);
    const failed = { status: 'FAILED', lastReasonCode: 'HTTP_4XX', lastStatusCode: 422, lastError: 'no' } as const;
    for (let i = 0; i < 10; i++) await givenDelivery(database.pool, { eventId: uuidV7(), destinationId, ...failed });
    await threeLook();
    const storm = await givenDelivery(database.pool, {
      eventId: uuidV7(),
      destinationId,
      ...failed,
      tenantId: 'other',
    });
    await database.pool.query(
      `insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, last_reason_code,
                               last_status_code, last_error, settled_at, failed_at)
       select event_id, destination_id, g, tenant_id, type, status, last_reason_code, last_status_code, last_error,
              settled_at, failed_at
         from deliveries, generate_series(2, 10000) g where event_id = $1`,
      [storm.eventId],
    );
    await threeLook();
    await letFade();
    await threeLook();
    await expect(told()).resolves.toEqual(['deadletters.growing raised', 'deadletters.growing raised']);
  });

  it('stands for a storm', async () => {
    for (let i = 0; i < 500; i++) await givenFailing(`tenant-${i % 7}`);
    await threeLook();
    await recover();
    await threeLook();
    await letFade();
    await threeLook();
    await expect(payloads()).resolves.toMatchObject([
      { state: 'raised', count: 500, figures: { count: 500 } },
      { state: 'cleared' },
    ]);
    await expect(countRows(database.pool, 'operator_conditions')).resolves.toBe(0);
  });
});

describe('the chore', () => {
  it('leaves the work to the session that has the lock', async () => {
    await givenFailing();
    const other = await database.pool.connect();
    try {
      await other.query('begin');
      await tryTransactionLock(other, ADVISORY_LOCKS.operatorEvents);
      await expect(started().runOnce()).resolves.toBe('elsewhere');
    } finally {
      await other.query('rollback');
      other.release();
    }
    await expect(told()).resolves.toEqual([]);
    await expect(started().runOnce()).resolves.toBe('done');
    await expect(told()).resolves.toEqual(['destination.failing raised']);
  });

  it.each([
    ['true', ['destination.failing raised']],
    ['false', []],
  ])('records that it has run, with OPERATOR_EVENTS=%s', async (OPERATOR_EVENTS, events) => {
    await givenFailing();
    await database.pool.query('delete from chores');
    const process = new OperatorEvents(testSettings({ OPERATOR_EVENTS }), database.pool, new LocalWakeUp());
    process.onApplicationBootstrap();
    await process.beforeApplicationShutdown();
    await expect(
      countRows(database.pool, `chores where name = 'operator-events' and succeeded_at is not null`),
    ).resolves.toBe(1);
    await expect(told()).resolves.toEqual(events);
  });
});
