import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { CommittedEvent } from '../../redis/idempotency-cache';
import { classifyPgError, errorCode } from '../../db/pg-errors';
import { decideDuplicate } from '../../event/decide-duplicate';
import type { PreparedEvent } from '../../event/prepare-event';
import { Problem } from '../../event/problems';
import { committedFacts, type IngestResult } from './ingest-result';
import { findKeyHolders, PARTIAL_CLAIM, storeEvents } from './store-batch.queries';

/** A round settles at least one holder of every contested key; more rounds than this is a fault of ours. */
const MAX_ROUNDS = 20;
/** Waits before a statement that met a deadlock or a lost connection is sent again, in ms. */
const RETRY_AFTER_MS = [20, 100, 400];
/** A server that hangs takes its full deadline in every try; callers wait for one of them, not for four. */
const GIVE_UP_AFTER_MS = 10_000;

type KeyHolders = Map<string, CommittedEvent>;
type Outcomes = Map<PreparedEvent, IngestResult>;

/**
 * Stores a batch and tells what became of each event, in order. Sending the same events again is safe at any time: an
 * event whose key is held by its own id was stored by a try whose answer got lost.
 * @throws Problem `storage-unavailable` when PostgreSQL cannot be reached; nothing is known to be stored then.
 */
export async function storeBatch(pool: Pool, batch: readonly PreparedEvent[]): Promise<IngestResult[]> {
  const holders: KeyHolders = new Map();
  const outcomes: Outcomes = new Map();
  let open = [...batch];
  for (let fruitless = 0; open.length > 0;) {
    if (fruitless === MAX_ROUNDS) throw new Error(`${open.length} events found no holder of their keys`);
    await writeRound(pool, withoutSharedKeys(open), holders, outcomes);
    const undecided = decideInOrder(open, holders, outcomes);
    fruitless = undecided.length === open.length ? fruitless + 1 : 0;
    open = undecided;
  }
  return batch.map((prepared) => outcomes.get(prepared) as IngestResult);
}

/** Those that share no key with an earlier event of the list; the fate of the others depends on those. */
function withoutSharedKeys(events: PreparedEvent[]): PreparedEvent[] {
  const taken = new Set<string>();
  return events.filter((prepared) => {
    const digests = digestsOf(prepared);
    const free = digests.every((digest) => !taken.has(digest));
    for (const digest of digests) taken.add(digest);
    return free;
  });
}

/**
 * Decides what the holders tell, and returns the rest. An event waits for every undecided one before it that shares a
 * key with it, since that one may still come to hold the key: the verdicts are those of events sent one by one.
 */
function decideInOrder(events: PreparedEvent[], holders: KeyHolders, outcomes: Outcomes): PreparedEvent[] {
  const contested = new Set<string>();
  return events.filter((prepared) => {
    const digests = digestsOf(prepared);
    const waits = digests.some((digest) => contested.has(digest));
    const undecided = waits || !decideFromHolders(prepared, holders, outcomes);
    if (undecided) for (const digest of digests) contested.add(digest);
    return undecided;
  });
}

function decideFromHolders(prepared: PreparedEvent, holders: KeyHolders, outcomes: Outcomes): boolean {
  if (outcomes.has(prepared)) return true;
  const { keyDigest, eventIdDigest } = prepared;
  const byEventId = eventIdDigest === undefined ? undefined : holders.get(eventIdDigest);
  const decision = decideDuplicate(prepared, holders.get(keyDigest), byEventId);
  if (decision.kind === 'unknown') return false;
  if (decision.kind === 'accepted') outcomes.set(prepared, { kind: 'accepted', committed: committedFacts(prepared) });
  else if (decision.kind === 'duplicate') outcomes.set(prepared, { ...decision, layer: 'database' });
  else outcomes.set(prepared, { kind: 'rejected', rejection: { ...decision, errors: [] } });
  return true;
}

/** Writes events that share no keys; afterwards each has an outcome or the holders of its keys are known. */
async function writeRound(pool: Pool, events: PreparedEvent[], holders: KeyHolders, outcomes: Outcomes): Promise<void> {
  let stored: Set<string>;
  try {
    stored = await repeated(() => storeEvents(pool, events));
  } catch (error) {
    if (errorCode(error) === PARTIAL_CLAIM) {
      stored = new Set();
    } else if (classifyPgError(error) === 'data') {
      await isolate(pool, events, holders, outcomes, error);
      return;
    } else {
      throw error;
    }
  }
  const lost: string[] = [];
  for (const prepared of events) {
    const digests = digestsOf(prepared);
    if (!stored.has(prepared.event.id)) lost.push(...digests);
    else for (const digest of digests) holders.set(digest, committedFacts(prepared));
  }
  if (lost.length === 0) return;
  for (const [digest, holder] of await repeated(() => findKeyHolders(pool, lost))) holders.set(digest, holder);
}

/** I10: halves a batch that PostgreSQL refuses until the event that it cannot hold stands alone and is rejected. */
async function isolate(
  pool: Pool,
  events: PreparedEvent[],
  holders: KeyHolders,
  outcomes: Outcomes,
  error: unknown,
): Promise<void> {
  const [only] = events;
  if (events.length === 1 && only) {
    const message = `The database cannot hold this event (${errorCode(error)}).`;
    outcomes.set(only, { kind: 'rejected', rejection: { code: 'invalid-event', message, errors: [] } });
    return;
  }
  const middle = events.length >> 1;
  await writeRound(pool, events.slice(0, middle), holders, outcomes);
  await writeRound(pool, events.slice(middle), holders, outcomes);
}

/** Repeats after deadlocks, failed serialisation and lost connections, a bounded number of times. */
async function repeated<T>(statement: () => Promise<T>): Promise<T> {
  const giveUpAtMs = Date.now() + GIVE_UP_AFTER_MS;
  for (let attempt = 0; ; attempt++) {
    try {
      return await statement();
    } catch (error) {
      const failure = classifyPgError(error);
      if (failure !== 'transient' && failure !== 'unavailable') throw error;
      const waitMs = RETRY_AFTER_MS[attempt];
      if (waitMs === undefined || Date.now() > giveUpAtMs) {
        throw new Problem('storage-unavailable', 'The event was not stored; please send it again.', {
          retryAfterSeconds: 2,
        });
      }
      await sleep(waitMs);
    }
  }
}

/** The keys that an event claims. */
export function digestsOf({ keyDigest, eventIdDigest }: PreparedEvent): string[] {
  return eventIdDigest === undefined ? [keyDigest] : [keyDigest, eventIdDigest];
}
