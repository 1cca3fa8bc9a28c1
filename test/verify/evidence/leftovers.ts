import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { rowsOf } from '../../support/processes/e2e-own-servers';
import { PAST_LEFTOVERS, PAST_TENANT } from '../landscape/past';
import type { Landscape } from '../landscape/landscape';
import { readOfTheRun } from '../run/inconclusive';
import type { Leftovers } from './evidence';

const EVERY_MS = 500;
const LOOKS_WITHOUT_PROGRESS = 10;
/** The figures of RabbitMQ can be this old. */
const STATISTICS_MS = 2_500;
/** Code of CLOSE_WAIT in /proc/net/tcp. */
const CLOSE_WAIT = '08';

const DATABASE = `
  select (select count(*)::int from event_status where tenant_id <> '${PAST_TENANT}' and status not in ('COMPLETED', 'DLQ', 'DISCARDED'))
           as "events that are not settled",
         (select count(*)::int from outbox where closed_at is null and status <> 'IN_FLIGHT') as "open outbox entries",
         (select count(*)::int from outbox where closed_at is null and status = 'IN_FLIGHT') as "leased outbox entries",
         (select count(*)::int from outbox where failed_at is not null) as "failed outbox entries",
         (select count(*)::int from retry_schedule) as "retries that wait",
         (select count(*)::int from delivery_queue where lease is null) as "queued deliveries",
         (select count(*)::int from delivery_queue where lease is not null) as "leased deliveries",
         (select count(*)::int from deliveries d
           where d.status = 'OPEN' and not exists (select from delivery_queue q
                  where (q.event_id, q.destination_id, q.generation) = (d.event_id, d.destination_id, d.generation)))
           as "open deliveries that are not in the queue",
         (select count(*)::int from ordered_events o left join event_status s on s.event_id = o.event_id
           where s.status is distinct from 'DISCARDED') -- an event that was erased with its handlers holds up nobody
           as "events that hold up a key",
         (select count(*)::int from changed_keys) as "changed keys",
         (select count(*)::int from replays where finished_at is null and mode <> 'backfill') as "replays that are not finished",
         (select count(*)::int from backfills where finished_at is null) as "backfills that are not finished",
         (select count(*)::int from replay_events where outcome in ('PENDING', 'DISPATCHED')) as "events of replays that are open",
         (select count(*)::int from erasures where finished_at is null) as "erasures that are not finished",
         (select count(*)::int from crash_trials) as "suspected events",
         (select count(*)::int from received_requests r where not exists (select from events e where e.request_id = r.id))
           as "received requests without an event",
         (select count(*)::int from pg_stat_activity
           where application_name like 'streamforge%' and state like 'idle in transaction%'
             and state_change < now() - interval '1 second') as "open transactions",
         ${PAST_LEFTOVERS}`;

/** An erasure looks again 90 seconds after its request. Nothing is written any more, so it may do so at once. */
const HURRY_ERASURES = `update erasures set created_at = created_at - interval '90 seconds'
  where finished_at is null and last_look and created_at > now() - interval '90 seconds'`;

interface Queue {
  name: string;
  messages_ready?: number;
  messages_unacknowledged?: number;
}

/** Waits until nothing is left, or until there was no progress for `patienceMs`. Returns what is left. */
export async function comeToRest(
  landscape: Landscape,
  { patienceMs, say }: { patienceMs: number; say: (line: string) => void },
): Promise<Leftovers> {
  const progress = new Progress();
  let restedMs: number | undefined;
  for (let round = 0; ; round++) {
    const left = await readOfTheRun('looking for what is left', () => lookForLeftovers(landscape));
    const sum = Object.values(left).reduce((total, n) => total + n, 0);
    if (sum > 0) restedMs = undefined;
    else if (Date.now() - (restedMs ??= Date.now()) >= STATISTICS_MS) return left;
    progress.see(left);
    const isStuck = sum > 0 && progress.missingFor(patienceMs);
    if (sum > 0 && (round % 20 === 0 || isStuck)) say(`not at rest: ${describe(left)}`);
    if (isStuck) return left;
    await sleep(EVERY_MS);
  }
}

/**
 * There is progress when any count is lower than ever before. The total may rise in between: an event that waits for a retry
 * counts as an event and as a retry.
 */
export class Progress {
  private readonly least = new Map<string, number>();
  private looks = 0;
  private lastMs = Date.now();

  see(left: Leftovers): void {
    this.looks += 1;
    for (const [what, count] of Object.entries(left)) {
      if (count >= (this.least.get(what) ?? Infinity)) continue;
      this.least.set(what, count);
      [this.looks, this.lastMs] = [0, Date.now()];
    }
  }

  /** One look can take long on an overloaded machine, so it needs several. */
  missingFor(ms: number): boolean {
    return this.looks >= LOOKS_WITHOUT_PROGRESS && Date.now() - this.lastMs > ms;
  }
}

export const describe = (left: Leftovers): string =>
  Object.entries(left)
    .filter(([, n]) => n > 0)
    .map(([what, n]) => `${n} ${what}`)
    .join(', ');

async function lookForLeftovers(landscape: Landscape): Promise<Leftovers> {
  await rowsOf(landscape.databaseUrl, HURRY_ERASURES);
  const [[database], queues] = await Promise.all([
    rowsOf<Leftovers>(landscape.databaseUrl, DATABASE),
    messagesLeft(landscape.management),
  ]);
  return {
    ...database,
    ...queues,
    'temporary files': landscape.filesLeft,
    'sockets in CLOSE_WAIT': landscape.processes.reduce((sum, { pid }) => sum + closeWaits(pid), 0),
  };
}

/** Queues without a consumer: copies of dead letters, and parked messages. The oracle looks at what is in them. */
const KEPT = ['events.dlq', 'events.safety'];

/** Counts ready and unacked messages per queue. */
async function messagesLeft(management: string): Promise<Leftovers> {
  const { origin, username, password } = new URL(management);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const response = await fetch(`${origin}/api/queues/%2F`, { headers: { authorization } });
  if (!response.ok) throw new Error(`listing queues was answered ${response.status}`);
  const queues = (await response.json()) as Queue[];
  const counts = queues.flatMap(({ name, messages_ready: ready = 1, messages_unacknowledged: unacked = 1 }) => [
    ...(KEPT.includes(name) ? [] : [[`messages ready in ${name}`, ready] as const]),
    [`messages unacked in ${name}`, unacked] as const,
  ]);
  const missing = ['events.main', 'events.retry', 'events.bundles', ...KEPT].filter(
    (name) => !queues.some((queue) => queue.name === name),
  );
  return { ...Object.fromEntries(counts), 'queues that are not declared': missing.length };
}

function closeWaits(pid: number | undefined): number {
  if (pid === undefined) return 0;
  const inodes = new Set(
    ['tcp', 'tcp6'].flatMap((table) =>
      fs
        .readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/\s+/))
        .flatMap(([, , , state, , , , , , inode]) => (state === CLOSE_WAIT && inode ? [`socket:[${inode}]`] : [])),
    ),
  );
  const open = fs.readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  return open.filter((link) => inodes.has(link)).length;
}

/** Returns an empty string if the descriptor was closed in the meantime. */
function linkOf(path: string): string {
  try {
    return fs.readlinkSync(path);
  } catch {
    return '';
  }
}
