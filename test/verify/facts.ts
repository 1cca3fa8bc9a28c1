import { setTimeout as sleep } from 'node:timers/promises';
import { usageOf } from '../support/e2e-http';
import { rowsOf } from '../support/processes/e2e-own-servers';
import type { Evidence, ReadBack, StoredEvent } from './evidence';
import { exchange } from './exchange';

const READERS = 12;
const READ_TIMEOUT_MS = 30_000;

/** How much has not come to rest, by what it waits for. */
export async function unrest(databaseUrl: string): Promise<Record<string, number>> {
  const [row] = await rowsOf<Record<string, number>>(
    databaseUrl,
    `select (select count(*)::int from event_status where status <> 'COMPLETED') as events,
            (select count(*)::int from outbox where closed_at is null) as entries,
            (select count(*)::int from retry_schedule) as retries,
            (select count(*)::int from replays where finished_at is null) as replays`,
  );
  return row as Record<string, number>;
}

/** What the database holds of everything, read over a connection of its own. */
export async function databaseFacts(
  url: string,
): Promise<Pick<Evidence, 'stored' | 'replays' | 'outbox' | 'waitingRetries' | 'deadLetters'>> {
  const stored = await rowsOf<StoredEvent>(
    url,
    // Distinct: the view shows an event once for each success, should there be two of them.
    `select distinct on (e.id) e.id, e.tenant_id as tenant, e.subject as name, v.status, coalesce(s.generation, 1) as generation,
            (select count(*)::int from replay_events r where r.event_id = e.id and r.dispatched_at is not null) as replayed,
            array(select a.generation from processing_attempts a
                   where a.event_id = e.id and a.status = 'SUCCESS') as successes,
            (select count(*)::int from processing_attempts a
              where a.event_id = e.id and a.status <> 'SUCCESS') as "failedAttempts"
       from events e join event_status v on v.event_id = e.id left join event_state s on s.event_id = e.id`,
  );
  const replays = await rowsOf<{ id: string; status: string }>(url, 'select id, status from replays');
  const [counts] = await rowsOf<{ open: number; failed: number; retries: number; dead: number }>(
    url,
    `select (select count(*)::int from outbox where closed_at is null) as open,
            (select count(*)::int from outbox where failed_at is not null) as failed,
            (select count(*)::int from retry_schedule) as retries,
            (select count(*)::int from dead_letters) as dead`,
  );
  const { open = 0, failed = 0, retries = 0, dead = 0 } = counts ?? {};
  return { stored, replays, outbox: { open, failed }, waitingRetries: retries, deadLetters: dead };
}

/** Reads events over HTTP, as clients do. `wanted`: tenant and id by name. */
export async function readAll(
  api: string,
  wanted: ReadonlyMap<string, { tenant: string; id: string }>,
): Promise<Map<string, ReadBack>> {
  const found = new Map<string, ReadBack>();
  const left = wanted.entries();
  const reader = async (): Promise<void> => {
    for (const [name, { tenant, id }] of left) found.set(name, await readOne(api, tenant, id));
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  return found;
}

async function readOne(api: string, tenant: string, id: string): Promise<ReadBack> {
  const url = `${api}/v1/events/${encodeURIComponent(id)}`;
  const { status, text, broken } = await exchange(url, { headers: { 'x-tenant-id': tenant } }, READ_TIMEOUT_MS);
  if (status === undefined || broken !== undefined) throw new Error(`GET ${url}: ${broken}`);
  if (status !== 200) return { httpStatus: status, id, status: '', payloadText: '' };
  const read = JSON.parse(text) as { id: string; status: string };
  return { httpStatus: status, id: read.id, status: read.status, payloadText: payloadTextIn(text) };
}

/** To the letter: parsing would round numbers. The payload is followed by `status`, or ends the object. */
export function payloadTextIn(eventJson: string): string {
  const start = eventJson.indexOf('"payload":') + '"payload":'.length;
  const status = eventJson.indexOf(',"status":"', start);
  return eventJson.slice(start, status === -1 ? eventJson.lastIndexOf('}') : status);
}

export async function usageOfAll(api: string, tenants: readonly string[]): Promise<Map<string, number>> {
  const usage = new Map<string, number>();
  for (const tenant of tenants) usage.set(tenant, await usageOf(api, tenant));
  return usage;
}

/** Polls until nothing is open, or nothing has become less for `patienceMs`: then the oracle tells what was left. */
export async function comeToRest(
  count: () => Promise<Record<string, number>>,
  patienceMs: number,
  tell: (text: string) => void,
): Promise<void> {
  let least = Infinity;
  let movedMs = Date.now();
  for (let round = 0; ; round++) {
    const open = await count();
    const left = Object.values(open).reduce((sum, n) => sum + n, 0);
    if (left === 0) return;
    if (left < least) [least, movedMs] = [left, Date.now()];
    const isStuck = Date.now() - movedMs > patienceMs;
    if (round % 10 === 0 || isStuck) tell(`not at rest: ${JSON.stringify(open)}`);
    if (isStuck) return;
    await sleep(500);
  }
}
