import type { Report } from '../deliveries-proof/report';
import type { DrillInstallation } from './installation';

/** Events that are COMPLETED, and those of them that a receiver has accepted. */
export interface Stored {
  completed: number;
  delivered: number;
}

/** Counts all stored events, less those of `before`. */
export async function countStored(
  installation: DrillInstallation,
  before: Stored = { completed: 0, delivered: 0 },
): Promise<Stored> {
  const rows = await installation.rows<{ id: string }>(`select id from reporting.events where status = 'COMPLETED'`);
  const deliveries = installation.deliveries();
  const delivered = rows.filter(({ id }) => deliveries.has(id)).length;
  return { completed: rows.length - before.completed, delivered: delivered - before.delivered };
}

/** Proves (I7, I13) that everything which is stored was processed, metered and delivered, and nothing else. */
export async function proveAtRest(installation: DrillInstallation, report: Report): Promise<void> {
  await installation.atRest();
  const [counts] = await installation.rows<{ stored: number; attempts: number; strange: number; metered: number }>(
    `select (select count(*) from events)::integer as stored,
            (select count(*) from processing_attempts)::integer as attempts,
            (select count(*) from processing_attempts a
              where not exists (select from events e where e.id = a.event_id))::integer as strange,
            (select sum(processed) from reporting.usage)::integer as metered`,
  );
  const { stored, attempts, strange, metered } = counts ?? { stored: 0, attempts: 0, strange: 0, metered: 0 };
  const { completed, delivered } = await countStored(installation);
  report.exactly('stored events that are COMPLETED', completed, stored);
  report.exactly('stored events that were delivered', delivered, stored);
  report.exactly('attempts', attempts, stored);
  report.exactly('attempts of events that are not stored', strange, 0);
  report.exactly('events that were metered', metered, stored);
}
