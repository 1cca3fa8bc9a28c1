import { isForType } from '../../db/type-pattern';

/** Whether any handler takes events in order. PostgreSQL evaluates it once for a statement. */
export const ANY_ORDERED_HANDLER = 'exists (select from ordered_handlers)';

/** Whether a handler takes the event in order. */
export const isOrderedByHandler = (event: string): string =>
  `(${ANY_ORDERED_HANDLER} and exists (select from ordered_handlers h where ${isForType('h', event)}))`;

/** What follows a dead letter of the event: `block` if one of its ordered handlers says so, or `skip`; null: none is ordered. */
export const poisonOf = (event: string): string => `(
  select case when bool_or(h.on_poison = 'block') then 'block' else 'skip' end
    from ordered_handlers h where ${isForType('h', event)} having count(*) > 0)`;

/**
 * A CTE that notes the events in the CTE `raised` again if a handler takes them in order: they were settled, and are
 * dispatched again. It is not waited for by events that run already, and it goes before all others of its key.
 */
export const NOTED_AGAIN = `noted as (
       insert into ordered_events (event_id, tenant_id, type, order_key, position, on_poison)
       select e.id, e.tenant_id, e.type, order_key(e.partition_key), e.outbox_id, ${poisonOf('e')}
         from raised
        cross join lateral (
          select id, tenant_id, type, partition_key, outbox_id from events where id = raised.event_id offset 0) e
        where ${ANY_ORDERED_HANDLER} and raised.status = 'DISPATCHED' and ${isOrderedByHandler('e')}
        order by e.id
       on conflict (event_id) do nothing
     )`;

/** A CTE that leaves the keys of the events in the CTE `raised` to a publisher, which looks at them within a second. */
export const KEYS_CHANGED = `changed as (
       insert into changed_keys (tenant_id, order_key)
       select distinct tenant_id, order_key from ordered_events
        where event_id = any (array(select event_id from raised))
     )`;
