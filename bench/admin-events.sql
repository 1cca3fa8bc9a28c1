-- fill(n) inserts n events of the last seven days in every status, with attempts, states, dead letters, deliveries and
-- outbox entries, as the application would leave them. Used by the bench of the admin lists and by the test of their plans.
create function pg_temp.fill(count integer) returns void language plpgsql as $$
begin
  create temp table facts on commit drop as
    select g,
           (lpad(to_hex((extract(epoch from now() - interval '7 days' + g * (interval '7 days' / count)) * 1000)::bigint), 12, '0')
             || '7' || lpad(to_hex(g % 4096), 3, '0') || '8' || substr(md5(g::text), 1, 15))::uuid as id,
           case when g % 50000 = 49999 then 'rare' else 'tenant-' || g % 20 end as tenant_id,
           case when g % 50000 = 49998 then 'rare.type' else 'order.type' || g % 7 end as type,
           'order-' || g % 200000 as subject,
           case when g % 100 < 2 then 'DLQ' when g % 100 = 2 then 'RETRYING' when g % 100 = 3 then 'DISCARDED'
                when g % 1000 = 4 then 'PUBLISHED' when g % 1000 = 14 then 'RECEIVED' else 'COMPLETED' end as status,
           case g % 1000 when 26 then 'PENDING' when 37 then 'RETRYING' when 48 then 'FAILED' when 59 then 'DISCARDED'
                else case g % 100 when 65 then 'DELIVERED' end end as delivery
      from generate_series(1::bigint, count) g;
  insert into events (id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject,
                      partition_key, source, schema_version, spec_version, correlation_id, hash, payload)
  select id, g, now(), now() - interval '7 days' + g * (interval '7 days' / count), 600, tenant_id, id::text, type,
         subject, subject, 'api', '1.0.0', '1.0', id::text, '\x00', json_build_object('text', repeat('x', 200))
    from facts order by g;
  insert into outbox (id, event_id, destination, status, closed_at)
  select g, id, 'main', case status when 'RECEIVED' then 'PENDING' else 'PUBLISHED' end,
         case status when 'RECEIVED' then null else now() end
    from facts order by g;
  insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code, error_message,
                                   duration_ms, worker)
  select id, 1, 1, 1,
         case status when 'COMPLETED' then 'SUCCESS' when 'RETRYING' then 'RETRY' else 'DLQ' end,
         case status when 'COMPLETED' then 'PROCESSED' else 'REASON_' || g % 5 end,
         case status when 'COMPLETED' then null else 'answered 50' || g % 5 || ' for ' || id end, 1, 'bench'
    from facts where status not in ('PUBLISHED', 'RECEIVED') order by g;
  insert into event_state (event_id, status, generation, dispatch_no, attempts, last_error)
  select id, status, 1, 2, 1, 'answered 50' || g % 5 || ' for ' || id
    from facts where status in ('DLQ', 'RETRYING', 'DISCARDED') order by g;
  insert into retry_schedule (event_id, dispatch_no, generation, due_at)
  select id, 2, 1, now() + interval '1 day' from facts where status = 'RETRYING';
  insert into dead_letters (event_id, tenant_id, type, reason_code, error_message, attempts, first_failed_at,
                            last_failed_at, resolved_at, resolution)
  select id, tenant_id, type, 'REASON_' || g % 5, 'answered 50' || g % 5 || ' for ' || id, 5, now(), now(),
         case status when 'DISCARDED' then now() end, case status when 'DISCARDED' then 'DISCARDED' end
    from facts where status in ('DLQ', 'DISCARDED') order by g;
  insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, attempts, last_reason_code,
                          last_status_code, last_error, settled_at, failed_at)
  select id, ('00000000-0000-7000-8000-00000000000' || g % 3)::uuid, 1, tenant_id, type,
         case when delivery in ('PENDING', 'RETRYING') then 'OPEN' else delivery end,
         case delivery when 'PENDING' then 0 else 1 end,
         case when delivery not in ('PENDING', 'DELIVERED') then 'REASON_' || g % 5 end,
         case delivery when 'PENDING' then null when 'DELIVERED' then 204 else 500 + g % 5 end,
         case when delivery not in ('PENDING', 'DELIVERED') then 'answered 50' || g % 5 || ' for ' || id end,
         case when delivery not in ('PENDING', 'RETRYING') then now() end,
         case when delivery in ('FAILED', 'DISCARDED') then now() end
    from facts where delivery is not null order by g;
  insert into delivery_queue (event_id, destination_id, generation, due_at)
  select id, ('00000000-0000-7000-8000-00000000000' || g % 3)::uuid, 1,
         now() + case delivery when 'RETRYING' then interval '1 day' else interval '0' end
    from facts where delivery in ('PENDING', 'RETRYING');
  perform setval('outbox_id_seq', count + 1);
end $$;
