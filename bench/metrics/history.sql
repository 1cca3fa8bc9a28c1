-- lay_events(since, until, rate, sent) stores events that are received evenly from one time to another, whose handlers
-- succeed half a second later. `sent` deliveries of each arrive a second later. Used by the bench of the metrics, and by a test.
create function pg_temp.lay_events(since timestamptz, until timestamptz, rate integer, sent integer) returns void
language plpgsql as $$
begin
  create temp table laid on commit drop as
    select g, at, 'tenant-' || g % 20 as tenant_id, 'order.type-' || g % 30 as type,
           (left(uuid_v7_floor(at)::text, 14) || '7' || substr(md5(g::text), 1, 3) || '-8' || substr(md5(g::text), 4, 3) || '-'
             || substr(md5(g::text), 8, 12))::uuid as id,
           (lpad(to_hex(g % 40), 8, '0') || '-0000-7000-8000-000000000000')::uuid as source_id
      from generate_series(0, floor(extract(epoch from until - since) * rate)::integer - 1) g
     cross join lateral (select since + make_interval(secs => g::float8 / rate) as at) instant;
  insert into events (id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject,
                      partition_key, source, source_id, schema_version, spec_version, correlation_id, hash, payload)
  select id, g, at, at, 600, tenant_id, id::text, type, 'subject-' || g, 'subject-' || g, 'api', source_id, '1.0.0', '1.0',
         id::text, '\x00', json_build_object('text', repeat('x', 300))
    from laid order by g;
  insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code, duration_ms,
                                   worker, created_at)
  select id, 1, 1, 1, 'SUCCESS', 'PROCESSED', 1, 'bench', at + interval '500 ms' from laid order by g;
  insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, created_at, settled_at)
  select id, destination_id, 1, tenant_id, type, 'DELIVERED', at + interval '500 ms', at + interval '1500 ms'
    from laid cross join pg_temp.laid_destinations(sent) destination_id order by g;
  insert into delivery_attempts (event_id, destination_id, generation, attempt_number, at, reason_code, duration_ms, worker,
                                 failed)
  select id, destination_id, 1, 1, at + interval '1500 ms', 'PROCESSED', 1, 'bench', false
    from laid cross join pg_temp.laid_destinations(sent) destination_id order by g;
  drop table laid;
end $$;

create function pg_temp.laid_destinations(n integer) returns setof uuid language sql as $$
  select (lpad(to_hex(d), 8, '0') || '-0000-7000-8000-000000000001')::uuid from generate_series(1, n) d
$$;

-- lay_rollup(measure, dimension, keys, buckets) makes the roll-up of 90 days: each step has keys of 20 tenants, and each key
-- this number of buckets of latencies. Of more than 120 keys, 120 take turns, as in the roll-up, which keeps the largest 100.
create function pg_temp.lay_rollup(measure text, dimension text, keys integer, buckets integer) returns void
language sql as $$
  insert into metric_rollup (at, step_seconds, measure, dimension, tenant_id, key, bucket, count)
  select step.at, step.seconds, $1, $2, 'tenant-' || k % 20, 'key-' || k, b, 1 + (k + b) % 7
    from (select at, 3600 as seconds
            from generate_series(date_trunc('hour', now()) - interval '90 days', now() - interval '50 hours', '1 hour') at
          union all
          select at, 60
            from generate_series(date_trunc('hour', now()) - interval '49 hours', now() - interval '2 hours', '1 minute') at
          union all
          select at, 10 from generate_series(date_trunc('minute', now()) - interval '2 hours', now(), '10 seconds') at) step
   cross join generate_series(1, least(keys, 120)) of_step
   cross join lateral (
     select case when keys <= 120 then of_step else (of_step + extract(epoch from at)::bigint / seconds * 120) % keys end as k
   ) turn
   cross join generate_series(0, buckets - 1) b
$$;
