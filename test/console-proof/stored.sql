-- What a busy installation has stored after a week, as the application would leave it. A tenth of the events are dead
-- letters: of a fifth of the groups the handlers failed, of the others deliveries. Everything else is in every status.

-- A number as a word, which failure_group keeps apart.
create function pg_temp.word(n integer) returns text immutable language sql as $$
  select translate(n::text, '0123456789', 'ghijklmnop')
$$;

-- A UUIDv7 of this moment.
create function pg_temp.id_at(moment timestamptz, n bigint) returns uuid immutable language sql as $$
  select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0')
           || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || substr(md5(n::text), 1, 15))::uuid
$$;

-- Events with dead letters of `groups` causes. The destinations belong to tenant-0, tenant-1 … in turn; the first is paused.
create function pg_temp.store_events(events integer, groups integer, destinations uuid[]) returns void
language plpgsql as $$
declare
  handler_codes text[] := '{HANDLER_ERROR,INVALID_PAYLOAD,HANDLER_TIMEOUT}';
  delivery_codes text[] := '{HTTP_5XX,HTTP_4XX,TIMEOUT,CONNECTION_FAILED,INVALID_RESPONSE,AUTH_FAILED}';
  begun timestamptz := now() - interval '7 days';
begin
  create temp table facts on commit drop as
    select g, begun + g * (interval '7 days' / events) as at,
           pg_temp.id_at(begun + g * (interval '7 days' / events), g) as id,
           'tenant-' || g / 7 % 20 as tenant_id, 'order.type' || g / 11 % 12 as type, 'order-' || g % 200000 as subject,
           (g / 10 % groups)::integer as cause,
           case when g % 10 = 0 then case when g / 10 % groups % 5 = 0 then 'DLQ' else 'COMPLETED' end
                else case g % 1000 when 1 then 'RETRYING' when 2 then 'RETRYING' when 3 then 'DISCARDED' when 4 then 'RECEIVED'
                       when 5 then 'PUBLISHED' when 6 then 'UNPUBLISHED' else 'COMPLETED' end end as status,
           case when g % 10 = 0 then case when g / 10 % groups % 5 <> 0 then 'FAILED' end
                else case g % 1000 when 11 then 'RETRYING' when 12 then 'RETRYING'
                       when 15 then 'DISCARDED' else case when g % 1000 between 500 and 549 then 'PENDING'
                       when g % 1000 > 15 and g % 2 = 1 then 'DELIVERED' end end end
             as delivery
      from generate_series(1::bigint, events) g;
  alter table facts add column destination_id uuid, add column reason text, add column error text;
  update facts set
    destination_id = case when delivery = 'PENDING' then destinations[1]
                     else destinations[2 + cause % (cardinality(destinations) - 1)] end,
    tenant_id = case when delivery = 'PENDING' then 'tenant-0'
                when delivery is not null then 'tenant-' || (1 + cause % (cardinality(destinations) - 1)) % 20
                else tenant_id end,
    reason = case when status = 'COMPLETED' then delivery_codes[1 + cause / 40 % 6] else handler_codes[1 + cause / 5 % 3] end,
    error = case when status = 'COMPLETED' then 'answered 503: request ' || id || ' failed in step ' || pg_temp.word(cause)
            else 'field ' || pg_temp.word(cause) || ' of order ' || g || ' is missing' end
   where status in ('DLQ', 'RETRYING', 'DISCARDED') or delivery is not null;

  insert into events (id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject,
                      partition_key, source, schema_version, spec_version, correlation_id, hash, payload)
  select id, g, at, at, 600, tenant_id, 'order-event-' || g, type, subject, subject, 'api', '1.0.0', '1.0', 'c-' || g,
         decode(md5(g::text), 'hex'), json_build_object('order', g, 'text', repeat('x', 200))
    from facts order by g;
  insert into outbox (id, event_id, destination, status, closed_at, failed_at, last_error)
  select g, id, 'main', case status when 'RECEIVED' then 'PENDING' when 'UNPUBLISHED' then 'FAILED' else 'PUBLISHED' end,
         case when status <> 'RECEIVED' then now() end, case when status = 'UNPUBLISHED' then now() end,
         case when status = 'UNPUBLISHED' then 'the message is too large' end
    from facts order by g;
  insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code, error_message,
                                   duration_ms, worker, created_at)
  select id, 1, 1, 1, case status when 'COMPLETED' then 'SUCCESS' when 'RETRYING' then 'RETRY' else 'DLQ' end,
         case status when 'COMPLETED' then 'PROCESSED' else reason end, case when status <> 'COMPLETED' then error end, 1,
         'stored', at
    from facts where status in ('COMPLETED', 'RETRYING', 'DLQ', 'DISCARDED') order by g;
  insert into event_state (event_id, status, generation, dispatch_no, attempts, last_error)
  select id, status, 1, 2, 1, error from facts where status in ('DLQ', 'RETRYING', 'DISCARDED') order by g;
  insert into retry_schedule (event_id, dispatch_no, generation, due_at)
  select id, 2, 1, now() + interval '1 day' from facts where status = 'RETRYING';
  insert into dead_letters (event_id, tenant_id, type, reason_code, error_message, attempts, first_failed_at,
                            last_failed_at, resolved_at, resolution)
  select id, tenant_id, type, reason, error, 1, at, at, case status when 'DISCARDED' then now() end,
         case status when 'DISCARDED' then 'DISCARDED' end
    from facts where status in ('DLQ', 'DISCARDED') order by g;
  insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, attempts, tries,
                          last_reason_code, last_status_code, last_error, created_at, settled_at, failed_at)
  select id, destination_id, 1, tenant_id, type, case when delivery in ('PENDING', 'RETRYING') then 'OPEN' else delivery end,
         case delivery when 'PENDING' then 0 else 1 end, case delivery when 'PENDING' then 0 else 1 end,
         case delivery when 'PENDING' then null when 'DELIVERED' then 'PROCESSED' else reason end,
         case when delivery = 'DELIVERED' then 200 when delivery <> 'PENDING' and reason = 'HTTP_5XX' then 503 end,
         case when delivery not in ('PENDING', 'DELIVERED') then error end,
         at, case when delivery not in ('PENDING', 'RETRYING') then at end,
         case when delivery in ('FAILED', 'DISCARDED') then at end
    from facts where delivery is not null order by g;
  insert into delivery_queue (event_id, destination_id, generation, due_at)
  select id, destination_id, 1, case delivery when 'RETRYING' then now() + interval '1 day' else at end
    from facts where delivery in ('PENDING', 'RETRYING');
  insert into delivery_attempts (event_id, destination_id, generation, attempt_number, at, reason_code, status_code,
                                 duration_ms, response_excerpt, worker)
  select id, destination_id, 1, 1, at, case delivery when 'DELIVERED' then 'PROCESSED' else reason end,
         case delivery when 'DELIVERED' then 200 else 503 end, 12, case delivery when 'DELIVERED' then 'ok' else error end,
         'stored'
    from facts where delivery is not null and delivery <> 'PENDING' order by g;
  perform setval('outbox_id_seq', events + 1);
end $$;

-- Refused records of `groups` causes.
create function pg_temp.store_rejections(rejections integer, groups integer, source uuid) returns void language sql as $$
  insert into rejections (id, tenant_id, source_id, endpoint, code, pointer, message, record_number, correlation_id,
                          received_at, content_type, size_bytes, digest, event_type, format, status, body)
  select pg_temp.id_at(at, g), 'tenant-' || g % 20, case when g % groups % 2 = 0 then source end, 'stream',
         case when g % groups % 3 = 0 then 'unsupported-character' else 'invalid-event' end,
         '/payload/lines/' || g % 90 || '/' || pg_temp.word(g % groups), 'must be a number in line ' || g % 90, g % 1000,
         'c-' || g, at, 'application/x-ndjson', 60, sha256(g::text::bytea), 'order.type' || g % 12, 'event',
         case when g % 20 = 0 then 'DISCARDED' else 'OPEN' end,
         convert_to('{"type":"order.type' || g % 12 || '","subject":"order-' || g || '"}', 'UTF8')
    from (select g, now() - interval '6 days' + g * (interval '6 days' / rejections) as at
            from generate_series(1, rejections) g) made
$$;

-- What destinations did in the last hour, and which of them fail.
create function pg_temp.store_health(destinations uuid[]) returns void language sql as $$
  insert into destination_minutes (destination_id, minute, delivered, failed, latency_ms)
  select d, date_trunc('minute', now()) - m * interval '1 minute', 100, m % 7, '{5,20,30,25,10,6,2,1,1,0,0,0,0}'
    from unnest(destinations) d, generate_series(0, 90) m;
  insert into destination_failures (destination_id, failing_since, open_until, open_seconds, last_reason_code, last_error)
  select d, now() - interval '1 hour', now() + interval '1 hour', 3600, 'HTTP_5XX', 'answered 503'
    from unnest(destinations[2:6]) d
$$;

-- What operators did.
create function pg_temp.store_actions(actions integer) returns void language sql as $$
  insert into admin_audit (id, at, actor, action, filter, counts, note, correlation_id, role, address)
  select pg_temp.id_at(at, g), at, 'operator-' || g % 5, 'dlq.retry', '{"tenantId":"tenant-1"}',
         jsonb_build_object('matched', g % 100, 'retried', g % 100), 'ticket ' || g, 'c-' || g, 'operator', '127.0.0.1'
    from (select g, now() - interval '30 days' + g * (interval '30 days' / actions) as at
            from generate_series(1, actions) g) made;
  insert into replays (id, mode, status, filter, matched, more, requested_by, correlation_id, created_at, finished_at)
  select pg_temp.id_at(at, g), 'republish', 'DONE', '{"tenantId":"tenant-1"}', 20, false, 'operator-1', 'c-' || g, at, at
    from (select g, now() - interval '30 days' + g * interval '1 hour' as at from generate_series(1, 500) g) made;
  insert into usage_daily (tenant_id, day, type, events, bytes)
  select 'tenant-' || t, current_date - d, 'order.type' || k, 5000, 3000000
    from generate_series(0, 19) t, generate_series(0, 89) d, generate_series(0, 11) k
$$;

-- Who may do what: many tenants and operators, and a tenant with many keys.
create function pg_temp.store_access() returns void language sql as $$
  insert into tenants (id, name, version) select 'tenant-' || t, 'Tenant ' || t, 0 from generate_series(0, 299) t;
  insert into api_keys (id, tenant_id, name, digest, scopes, created_by, version)
  select 'key-' || k, 'tenant-3', 'till ' || k, sha256(k::text::bytea), '{ingest}', 'operator-1', 0
    from generate_series(1, 200) k;
  insert into operators (id, name, digest, role, created_by, version)
  select 'operator-' || o, 'operator ' || o, sha256(o::text::bytea), 'support', 'operator-1', 0
    from generate_series(1, 200) o
$$;

-- The metrics of the last two hours, in which no tenant was ever idle.
create function pg_temp.store_metrics() returns void language sql as $$
  insert into metric_rollup (at, step_seconds, measure, dimension, tenant_id, key, bucket, count)
  select date_bin('10 seconds', now(), timestamptz '2000-01-01 00:00:00Z') - s * interval '10 seconds', 10, measure,
         'tenant', 'tenant-' || t, 'tenant-' || t, bucket, 25
    from generate_series(1, 720) s, generate_series(0, 19) t,
         (values ('accepted', 0), ('rejected', 0), ('delivered', 0), ('failed', 0), ('completed', 20), ('completed', 24),
                 ('completed', 28)) measured (measure, bucket);
  insert into chore_progress (name, position) values ('metric-rollup', floor(extract(epoch from now()) / 10)::bigint * 10)
  on conflict (name) do update set position = excluded.position
$$;
