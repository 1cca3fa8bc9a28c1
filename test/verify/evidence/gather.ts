import type { Landscape } from '../landscape/landscape';
import type { Outside } from '../load/sender';
import type { Admin } from '../load/operator/admin';
import { tenantOf, TENANTS } from '../load/tenants';
import { readOfTheRun } from '../run/inconclusive';
import { acknowledgedIds } from '../oracle/answers';
import { withoutLost } from '../oracle/lost-history';
import type { Evidence, Leftovers, UsageRow } from './evidence';
import { findWrongGauges } from './gauges';
import { readMessageIds } from './message-ids';
import { readAll } from './read-back';
import { readRolledUp } from './rollup.queries';
import { readStored } from './stored.queries';

/** Gathers the evidence, except what shows only at shutdown. */
export async function gather(
  landscape: Landscape,
  { journal, sent }: Outside,
  { admin, reconciles, leftovers }: { admin: Admin; reconciles: boolean; leftovers: Leftovers },
): Promise<Evidence> {
  const facts = await readOfTheRun('reading the database', () => readStored(landscape.databaseUrl, journal.startedMs));
  const answered = acknowledgedIds(withoutLost(journal.entries, facts.stored));
  const storedIds = new Map(facts.stored.map(({ name, id }) => [name, id]));
  const wanted = [...answered].map(([name, ids]) => {
    const id = [...ids][0] ?? storedIds.get(name) ?? name;
    return [name, { tenant: tenantOf(name), id }] as const;
  });
  const usage = await readUsage(admin);
  const rolledUp = await readOfTheRun('reading metrics', () => readRolledUp(landscape.databaseUrl));
  const readBack = await readAll(landscape.apis[0] as string, new Map(wanted));
  const wrongGauges = await findWrongGauges(landscape);
  await landscape.scrapeOf(landscape.processes.map(({ name }) => name));
  const idsIn = (queue: string) => readOfTheRun(`reading ${queue}`, () => readMessageIds(landscape.rabbitUrl, queue));
  const deadLetterCopies = await idsIn('events.dlq');
  const parkedMessages = await idsIn('events.safety');
  return {
    ...facts,
    journal: journal.entries,
    startedMs: journal.startedMs,
    reconciles,
    sent,
    usage,
    rolledUp,
    readBack,
    deadLetterCopies,
    parkedMessages,
    leftovers,
    wrongGauges,
  };
}

interface ListedUsage {
  tenantId: string;
  day: string;
  type: string;
  processed: number;
  processedBytes: number;
}

/** Reads what was processed from the admin endpoint. @throws if it fails */
async function readUsage(admin: Admin): Promise<UsageRow[]> {
  const rows = await Promise.all(
    TENANTS.map(async (tenant) => {
      const answer = await admin.ask('look', 'GET', `usage?tenantId=${tenant}`);
      if (!answer) throw new Error('the usage was not answered');
      return (answer.usage as ListedUsage[]).map(({ tenantId, day, type, processed, processedBytes }) => ({
        tenant: tenantId,
        day,
        type,
        events: processed,
        bytes: processedBytes,
      }));
    }),
  );
  return rows.flat();
}
