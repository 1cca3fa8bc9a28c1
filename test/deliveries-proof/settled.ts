import { setTimeout as sleep } from 'node:timers/promises';
import type { Installation } from './installation';
import type { Report } from './report';

const LOOK_EVERY_MS = 500;
/** Longer than the lease of a first try (45 s) and the reconciler's patience (60 s) together. */
const PATIENCE_MS = 180_000;

/** Waits until `done` holds. Gives up when `progress` has not changed for a long time. Returns whether it holds. */
export async function until(
  progress: () => Promise<number> | number,
  done: (value: number) => boolean,
): Promise<boolean> {
  let last = NaN;
  let changedMs = Date.now();
  for (;;) {
    const value = await progress();
    if (done(value)) return true;
    if (value !== last) changedMs = Date.now();
    else if (Date.now() - changedMs > PATIENCE_MS) return false;
    last = value;
    await sleep(LOOK_EVERY_MS);
  }
}

/** Waits until this many deliveries of a tenant are settled. Returns false if they never are. */
export const untilSettled = (installation: Installation, tenant: string, count: number): Promise<boolean> =>
  until(
    async () => {
      const [row] = await installation.rows<{ settled: number }>(
        'select count(*)::int as settled from deliveries where tenant_id = $1 and settled_at is not null',
        [tenant],
      );
      return row?.settled ?? 0;
    },
    (settled) => settled >= count,
  );

interface Counts {
  once: number;
  others: number;
  open: number;
}

/**
 * Reports where the deliveries of a tenant stand: each pair of an event and one of `destinationIds` has one row, which is
 * DELIVERED, and nothing is in progress.
 */
export async function reportDelivered(
  installation: Installation,
  { tenant, destinationIds, events }: { tenant: string; destinationIds: readonly string[]; events: number },
  report: Report,
): Promise<void> {
  const [counts] = await installation.rows<Counts>(
    `with pairs as (
       select count(*) filter (where d.status = 'DELIVERED') as delivered, count(d.status) as total
         from reporting.events e
        cross join unnest($2::uuid[]) as t (destination_id)
         left join reporting.deliveries d on d.event_id = e.id and d.destination_id = t.destination_id
        where e.tenant_id = $1
        group by e.id, t.destination_id)
     select count(*) filter (where delivered = 1 and total = 1)::int as once,
            count(*) filter (where total <> delivered)::int as others,
            (select count(*)::int from reporting.open_work
              where event_id in (select id from reporting.events where tenant_id = $1)) as open
       from pairs`,
    [tenant, destinationIds],
  );
  const pairs = events * destinationIds.length;
  report.exactly('pairs of event and destination with exactly one row, which is DELIVERED', counts?.once ?? 0, pairs);
  report.exactly('pairs with a row of another status (FAILED, DISCARDED, SKIPPED, IN_FLIGHT)', counts?.others ?? -1, 0);
  report.exactly('work that is not at rest', counts?.open ?? -1, 0);
}
