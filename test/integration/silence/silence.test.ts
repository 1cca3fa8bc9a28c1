import { Logger } from '@nestjs/common';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { OperatorEvents } from '../../../src/operator-events/operator-events';
import { LocalWakeUp } from '../../../src/redis/wake-up';
import type { ActiveHours } from '../../../src/silence/active-hours';
import { putExpectation } from '../../../src/silence/expectations.queries';
import { learnedStates } from '../../../src/silence/learned-state';
import { RequestSamples } from '../../../src/sources/inspector/request-samples';
import type { RequestSample, SampleResult } from '../../../src/sources/inspector/request-sample';
import { keepSamples } from '../../../src/sources/inspector/samples.queries';
import { testSettings } from '../../support/app';
import { removeEvents, useDatabase } from '../../support/fixtures/database';
import { countRows } from '../../support/rows';
import { boxOf, storeSource } from '../../support/sources';

const database = useDatabase();
const query = (text: string, values: unknown[] = []) => database.pool.query(text, values);

beforeAll(() => {
  Logger.overrideLogger(false);
});
beforeEach(async () => {
  await removeEvents(database.pool);
  await query(
    `truncate sources, source_samples, operator_conditions, condition_raises, silence_expectations, silence_heard, silence_minutes,
              usage_slices`,
  );
  await query('delete from tenants');
  await query(
    `insert into chore_progress (name, position) values ('usage', floor(extract(epoch from now()))::bigint)
     on conflict (name) do update set position = excluded.position`,
  );
});

const look = () => new OperatorEvents(testSettings(), database.pool, new LocalWakeUp()).runOnce();

/** Whatever does not hold any more has not held for longer than it takes to be cleared. */
async function lookUntilCleared(): Promise<void> {
  await look();
  await query(
    `update operator_conditions set clearing_since = now() - interval '2 minutes' where clearing_since is not null`,
  );
  await look();
}

interface Told {
  type: string;
  summary: string;
  figures: Record<string, unknown>;
}

async function told(): Promise<Told[]> {
  const { rows } = await database.pool.query<{ type: string; payload: string }>(
    `select type, payload from events where tenant_id = 'streamforge' order by id`,
  );
  return rows.map(({ type, payload }) => ({ ...(JSON.parse(payload) as Told), type }));
}
const kinds = async () => (await told()).map(({ type }) => type);

/** Makes it true that rules were given long ago. */
async function givenLongAgo(): Promise<void> {
  await query('alter table sources disable trigger raise_revision');
  await query(`update sources set updated_at = now() - interval '100 days'`);
  await query('alter table sources enable trigger raise_revision');
  await query(`update silence_expectations set updated_at = now() - interval '100 days'`);
  await query(
    `insert into silence_heard (subject, since, heard_at) values ('', now() - interval '100 days', now())
     on conflict (subject) do nothing`,
  );
}

async function givenSource(rule: { every?: number; hours?: ActiveHours; learn?: boolean }): Promise<string> {
  const { row } = await storeSource(database.pool, await boxOf(database.pool), {});
  const { every = null, hours, learn = false } = rule;
  await query(`update sources set expect_every_seconds = $1, active_hours = $2, learn_silence = $3 where id = $4`, [
    every,
    hours ? JSON.stringify(hours) : null,
    learn,
    row.id,
  ]);
  await givenLongAgo();
  return row.id;
}

async function sampled(sourceId: string, result: SampleResult, secondsAgo = 0): Promise<void> {
  const at = Date.now() - secondsAgo * 1_000;
  const hex = at.toString(16).padStart(12, '0');
  const id = `${hex.slice(0, 8)}-${hex.slice(8)}${uuidV7().slice(13)}`;
  await keepSamples(database.pool, [{ sourceId, id, sample: JSON.stringify({ result }) }], 50);
}

/** Something came of a type at each of these times, in seconds ago. */
async function accepted(type: string, ...secondsAgo: number[]): Promise<void> {
  await query(
    `insert into usage_slices (at, tenant_id, type, events, bytes, deliveries)
     select date_bin('10 seconds', now() - make_interval(secs => s), timestamptz '2000-01-01 00:00:00Z'), 'acme', $1, 1, 1, 0
       from unnest($2::float8[]) s on conflict (at, tenant_id, type) do nothing`,
    [type, secondsAgo],
  );
}

const expected = (eventType: string, rule: { every?: number; hours?: ActiveHours; learn?: boolean }) =>
  putExpectation(database.pool, {
    tenantId: 'acme',
    eventType,
    expectEverySeconds: rule.every ?? null,
    activeHours: rule.hours ?? null,
    learnSilence: rule.learn ?? false,
  });

/**
 * Stores what would have been learned of a subject by now: something came every five minutes for five weeks, up to
 * `silentMinutes` ago. Somebody has looked all the time.
 */
async function learned(subject: string, silentMinutes: number, weeks = 5): Promise<void> {
  await query(
    `insert into silence_heard (subject, since, heard_at)
     values ($1, now() - make_interval(weeks => $2), now() - make_interval(mins => $3)),
            ('', now() - make_interval(weeks => $2), now())
     on conflict (subject) do update set since = excluded.since`,
    [subject, weeks, silentMinutes],
  );
  const minutes = `floor(extract(epoch from (at at time zone 'UTC')::time) / 60)::integer`;
  for (const [of, step, last] of [
    [subject, 5, silentMinutes],
    ['', 1, 0],
  ] as const) {
    await query(
      `insert into silence_minutes (subject, day, minutes)
       select $1, (at at time zone 'UTC')::date, bit_or(set_bit(repeat('0', 1440)::bit(1440), ${minutes}, 1))
         from generate_series(now() - make_interval(mins => $3), now() - make_interval(weeks => $4),
                              make_interval(mins => -($2::integer))) at
        group by 1, 2`,
      [of, step, last, weeks],
    );
  }
}

/** Hours that are over, or that are not yet, and that do not begin or end soon. */
const quietHours = (): ActiveHours => {
  const hour = (new Date().getUTCHours() + 12) % 24;
  const text = (of: number): string => `${String(of % 24).padStart(2, '0')}:00`;
  return { timeZone: 'UTC', from: text(hour), to: text(hour + 1) };
};

describe('a silent source', () => {
  it.each(['unverified', 'rejected', 'failed'] as const)(
    'is told although requests come that are %s',
    async (result) => {
      const id = await givenSource({ every: 60 });
      await sampled(id, 'accepted', 120);
      await sampled(id, result);
      await look();
      await expect(kinds()).resolves.toEqual(['source.silent']);
      await sampled(id, 'duplicate');
      await lookUntilCleared();
      await expect(kinds()).resolves.toEqual(['source.silent', 'source.resumed']);
    },
  );

  it('is found although what it sent is followed by many requests that were refused', async () => {
    const id = await givenSource({ every: 3_600 });
    const samples = new RequestSamples(database.pool);
    const note = (result: SampleResult): void => {
      const made = (): Partial<RequestSample> => ({ id: uuidV7(), result });
      samples.note(id, made as () => RequestSample, !['unverified', 'rejected', 'failed'].includes(result));
    };
    note('accepted');
    for (let i = 0; i < 120; i++) note('rejected');
    await samples.write();
    await sampled(id, 'failed');
    await expect(countRows(database.pool, `source_samples where sample->>'result' = 'accepted'`)).resolves.toBe(1);
    await look();
    await expect(kinds()).resolves.toEqual([]);
  });

  it('is not told outside its active hours', async () => {
    await sampled(await givenSource({ every: 60, hours: quietHours() }), 'accepted', 1_800);
    await look();
    await expect(kinds()).resolves.toEqual([]);
  });
});

describe('a silent type', () => {
  it('is told once by what is expected of it, and when it comes again', async () => {
    await expected('sale', { every: 300 });
    await expected('refund', { every: 300, hours: quietHours() });
    await givenLongAgo();
    await accepted('sale', 600);
    await accepted('refund', 600);
    await accepted('other', 10);
    await look();
    await look();
    const [event, ...more] = await told();
    expect(more).toEqual([]);
    expect(event).toMatchObject({ type: 'type.silent', subject: 'acme/sale', tenantId: 'acme', name: 'sale' });
    expect(event?.summary).toMatch(/^Type sale of tenant acme has been silent for \d+ minutes\. It is expected/);
    await accepted('sale', 10);
    await lookUntilCleared();
    await expect(kinds()).resolves.toEqual(['type.silent', 'type.resumed']);
  });

  it('is not told again after its slice of usage is gone', async () => {
    await expected('sale', { every: 300 });
    await givenLongAgo();
    await accepted('sale', 10);
    await look();
    await query('truncate usage_slices');
    await look();
    await expect(kinds()).resolves.toEqual([]);
  });

  it('is not told for a time in which nobody looked, and one that was told does not end by it', async () => {
    await expected('sale', { every: 300 });
    await expected('refund', { every: 300 });
    await givenLongAgo();
    await accepted('sale', 600);
    await accepted('refund', 60);
    await look();
    await expect(kinds()).resolves.toEqual(['type.silent']);
    await query(`update silence_heard set heard_at = now() - interval '20 minutes'`);
    await query('truncate usage_slices');
    await lookUntilCleared();
    await expect(kinds()).resolves.toEqual(['type.silent']);
    await accepted('sale', 10);
    await lookUntilCleared();
    await expect(kinds()).resolves.toEqual(['type.silent', 'type.resumed']);
  });

  it('is not told as long as it is not known what came', async () => {
    await expected('sale', { every: 300 });
    await givenLongAgo();
    await accepted('sale', 3_700);
    await query(
      `update chore_progress set position = extract(epoch from now() - interval '1 hour') where name = 'usage'`,
    );
    await look();
    await expect(kinds()).resolves.toEqual([]);
  });
});

describe('while a tenant is suspended', () => {
  it('none of its sources and types is told, and then the time begins anew', async () => {
    await sampled(await givenSource({ every: 60 }), 'accepted', 120);
    await expected('sale', { every: 300 });
    await givenLongAgo();
    await accepted('sale', 600);
    const { rows } = await database.pool.query<{ tenantId: string }>('select tenant_id as "tenantId" from sources');
    await query(
      `insert into tenants (id, name, status, updated_at)
       select distinct id, id, 'suspended', now() - interval '1 hour' from unnest($1::text[]) as t (id)`,
      [['acme', rows[0]?.tenantId]],
    );
    await look();
    await expect(kinds()).resolves.toEqual([]);
    await query(`update tenants set status = 'active', updated_at = now()`);
    await look();
    await expect(kinds()).resolves.toEqual([]);
    await query(`update tenants set updated_at = now() - interval '1 hour'`);
    await look();
    await expect(kinds()).resolves.toEqual(['source.silent', 'type.silent']);
  });
});

describe('a learned silence', () => {
  it('of a source is told once, after twice the usual gap', async () => {
    const id = await givenSource({ learn: true });
    await learned(id, 40);
    await sampled(id, 'accepted', 40 * 60);
    await look();
    await look();
    const [event, ...more] = await told();
    expect(more).toEqual([]);
    expect(event?.summary).toMatch(/has been silent for 4[01] minutes\. Usually, something comes within 5 minutes/);
    expect(event?.figures).toMatchObject({ usualSeconds: 300, expectEverySeconds: null });
    await sampled(id, 'accepted');
    await lookUntilCleared();
    await expect(kinds()).resolves.toEqual(['source.silent', 'source.resumed']);
  });

  it.each([
    ['a gap that is usual', 6, 5],
    ['less than four weeks of data', 40, 3],
  ])('is not told of %s', async (_, silentMinutes, weeks) => {
    const id = await givenSource({ learn: true });
    await learned(id, silentMinutes, weeks);
    await sampled(id, 'accepted', silentMinutes * 60);
    await look();
    await expect(kinds()).resolves.toEqual([]);
  });

  it('of a type is told', async () => {
    await expected('sale', { learn: true });
    await givenLongAgo();
    await learned('acme/sale', 40);
    await look();
    await expect(kinds()).resolves.toEqual(['type.silent']);
  });

  it('begins anew after a time in which nobody looked', async () => {
    const id = await givenSource({ learn: true });
    await learned(id, 40);
    await query(`update silence_heard set heard_at = now() - interval '20 minutes' where subject = ''`);
    await sampled(id, 'accepted', 40 * 60);
    await look();
    await expect(kinds()).resolves.toEqual([]);
  });

  it('that was told does not end because nobody looked', async () => {
    const id = await givenSource({ learn: true });
    await learned(id, 40);
    await sampled(id, 'accepted', 40 * 60);
    await look();
    await query(`update silence_heard set heard_at = now() - interval '20 minutes' where subject = ''`);
    await lookUntilCleared();
    await expect(kinds()).resolves.toEqual(['source.silent']);
  });

  it('is learned from what comes, and says for how many weeks', async () => {
    const id = await givenSource({ learn: true });
    await expected('sale', { learn: true });
    await sampled(id, 'accepted', 60);
    await accepted('sale', 30);
    await look();
    await look();
    await expect(countRows(database.pool, 'silence_minutes')).resolves.toBeGreaterThanOrEqual(3);
    const stateOf = async () => (await learnedStates(database.pool, [{ subject: id, learnSilence: true }])).get(id);
    await expect(stateOf()).resolves.toEqual({ state: 'learning', weeks: 0, weeksNeeded: 4 });
    await query(`update silence_heard set since = now() - interval '15 days'`);
    await expect(stateOf()).resolves.toEqual({ state: 'learning', weeks: 2, weeksNeeded: 4 });
    await query(`update silence_heard set since = now() - interval '29 days'`);
    await expect(stateOf()).resolves.toEqual({ state: 'learned', weeks: 4, weeksNeeded: 4 });
  });

  it('forgets what nobody wants to know any more', async () => {
    const id = await givenSource({ learn: true });
    await learned(id, 5);
    await query('update sources set learn_silence = false');
    await look();
    await expect(countRows(database.pool, `silence_heard where subject <> ''`)).resolves.toBe(0);
    await expect(countRows(database.pool, `silence_minutes where subject <> ''`)).resolves.toBe(0);
  });
});
