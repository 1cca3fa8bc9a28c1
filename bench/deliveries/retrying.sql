-- fill_retrying(n, failing, first_due, last_due) inserts n events, one RETRYING delivery of each to one of the destinations
-- `failing`, due at equal intervals from first_due to last_due. Used by the bench `retrying`.
create function pg_temp.fill_retrying(count integer, failing uuid[], first_due timestamptz, last_due timestamptz)
returns void language sql as $$
  with made as materialized (
    select g, overlay(gen_random_uuid()::text placing left(uuid_v7_floor(now())::text, 13) from 1 for 13)::uuid as id,
           failing[1 + g % cardinality(failing)] as destination_id, nextval('outbox_id_seq') as outbox_id
      from generate_series(0, count - 1) g
  ), stored as (
    insert into events (id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject,
                        partition_key, source, schema_version, spec_version, correlation_id, hash, payload)
    select id, outbox_id, now(), now(), 600, 'failing', id::text, 'order.paid', id::text, id::text, 'api', '1.0.0', '1.0',
           id::text, '\x00', json_build_object('text', repeat('x', 400)) from made order by made.id
  ), recorded as (
    insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, attempts, tries,
                            last_reason_code, last_status_code, last_error)
    select id, destination_id, 1, 'failing', 'order.paid', 'OPEN', 1, 1, 'HTTP_5XX', 500, 'The response was 500.'
      from made order by made.id
  )
  insert into delivery_queue (event_id, destination_id, generation, due_at)
  select id, destination_id, 1, first_due + g * ((last_due - first_due) / count) from made order by made.id;
$$;
