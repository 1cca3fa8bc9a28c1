import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Usage counts an event once, when it was accepted (src/usage). A chore counts it from committed rows, so storing an event
 * writes nothing for it:
 * - `usage_slices` has what was accepted and delivered in the last quarter of an hour, by ten seconds. A slice can be made
 *   again, so that rows that are committed late are counted, and no row twice.
 * - `usage_intake` has the sums of older slices, by day.
 * - `usage_daily` goes on counting generations whose handlers succeeded, as the build before does.
 * - `usage_close` says from which day on figures may still change (src/usage/usage-close.ts). The build before does not
 *   know it: while its workers run beside new ones, what they settle late may still count in a closed month.
 * - `usage_counted` is the sum of all, and `usage_figures` the same with what is in no slice yet. That is the rows of a few
 *   seconds, but of any time while no publisher runs: `reporting.usage` leaves it out if it is more than a minute.
 *
 * Days before the upgrade keep the figures that they had: the events that had been processed by then.
 */
export class Usage1764592600000 implements MigrationInterface {
  readonly name = 'Usage1764592600000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop view reporting.usage');
    await runner.query('create view reporting.usage as select tenant_id, day, type, events, bytes from usage_daily');
    await runner.query('drop view usage_figures, usage_counted');
    await runner.query('drop table usage_slices, usage_intake, usage_close');
    await runner.query(`delete from chore_progress where name = 'usage'`);
  }
}

/** An empty database has nothing to count before now. Another one begins with the day, in UTC. */
const BEGIN = `case when exists (select from events) then date_trunc('day', now(), 'UTC')
                    else date_bin('10 seconds', now(), timestamptz '2000-01-01 00:00:00Z') end`;

/** What is not counted yet: from here on. */
const COUNTED_TO = `(select to_timestamp(position) from chore_progress where name = 'usage')`;

/** Constant in a statement, so that only one of two parts is read. As isNearlyRolledUp in src/admin/metrics/fresh-counts.ts. */
const IS_NEARLY_COUNTED = `coalesce(${COUNTED_TO} >= now() - interval '60 seconds', false)`;

const SUMS = `sum(events)::bigint as events, sum(bytes)::bigint as bytes, sum(deliveries)::bigint as deliveries,
          sum(processed)::bigint as processed, sum(processed_bytes)::bigint as processed_bytes`;

const REPORTED = 'tenant_id, day, type, events, bytes, processed, processed_bytes, deliveries';

const UP = [
  `create table usage_slices (
     at timestamptz not null,
     tenant_id text not null,
     type text not null,
     events bigint not null,
     bytes bigint not null,
     deliveries bigint not null,
     primary key (at, tenant_id, type)
   )`,
  `create table usage_intake (
     tenant_id text not null,
     day date not null,
     type text not null,
     events bigint not null,
     bytes bigint not null,
     deliveries bigint not null,
     primary key (tenant_id, day, type)
   )`,
  `create table usage_close (only_row boolean primary key default true check (only_row), open_from date not null, since timestamptz not null)`,
  `insert into chore_progress (name, position) select 'usage', extract(epoch from ${BEGIN})::bigint`,
  `insert into usage_intake (tenant_id, day, type, events, bytes, deliveries)
   select tenant_id, day, type, events, bytes, 0 from usage_daily where day < (${COUNTED_TO} at time zone 'UTC')::date`,

  // Each part can use the conditions on tenant, day and type.
  `create view usage_counted as
   select tenant_id, day, type, ${SUMS}
     from (
       select tenant_id, day, type, 0::bigint as events, 0::bigint as bytes, 0::bigint as deliveries,
              events as processed, bytes as processed_bytes
         from usage_daily
       union all
       select tenant_id, day, type, events, bytes, deliveries, 0, 0 from usage_intake
       union all
       select tenant_id, (at at time zone 'UTC')::date, type, events, bytes, deliveries, 0, 0 from usage_slices
     ) each
    group by tenant_id, day, type`,
  `create view usage_figures as
   select tenant_id, day, type, ${SUMS}
     from (
       select tenant_id, day, type, events, bytes, deliveries, processed, processed_bytes from usage_counted
       union all
       select tenant_id, (received_at at time zone 'UTC')::date, type, 1, size_bytes, 0, 0, 0
         from events where id >= uuid_v7_floor(${COUNTED_TO})
       union all
       select d.tenant_id, (a.at at time zone 'UTC')::date, d.type, 0, 0, 1, 0, 0
         from delivery_attempts a
        cross join lateral (
          select tenant_id, type from deliveries
           where event_id = a.event_id and destination_id = a.destination_id and generation = a.generation limit 1
        ) d
        where a.at >= ${COUNTED_TO} and a.reason_code = 'PROCESSED'
     ) each
    group by tenant_id, day, type`,

  `create or replace view reporting.usage as
   select ${REPORTED} from usage_figures where ${IS_NEARLY_COUNTED}
   union all
   select ${REPORTED} from usage_counted where not ${IS_NEARLY_COUNTED}`,
];
