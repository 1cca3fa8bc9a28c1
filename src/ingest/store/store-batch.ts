import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { CommittedEvent } from '../../redis/idempotency-cache';
import { storageProblem } from '../../db/outages';
import { classifyPgError, errorCode, isMaybeOfOne, isWorthWaitingFor } from '../../db/pg-errors';
import { decideByLegacyKeys } from '../../event/identity/decide-by-legacy-keys';
import { decideDuplicate, type DuplicateDecision, type FoundBy } from '../../event/identity/decide-duplicate';
import { secondContentKey } from '../../event/identity/idempotency-key';
import type { PreparedEvent, RecordRejection } from '../../event/prepare-event';
import { Problem } from '../../event/problems';
import { storesOtherEvents } from './stores-other-events';
import { findKeyHolders, PARTIAL_CLAIM, storeEvents, type StoredHolder } from './store-batch.queries';

/** The result of one record. The events in `committed` and `of` are committed before a result exists. */
export type IngestResult =
  | { kind: 'accepted'; committed: CommittedEvent }
  | { kind: 'duplicate'; of: CommittedEvent; by: FoundBy; layer: 'cache' | 'database' }
  | { kind: 'rejected'; rejection: RecordRejection };

/**
 * The result of an event that PostgreSQL refuses while it stores others: a trigger of the operator refuses it, or its
 * statement needs a right that others do not need.
 */
export interface FailedEvent {
  kind: 'failed';
  /** What its caller gets: Problem `storage-unavailable`, or the error of PostgreSQL where waiting does not help. */
  reason: unknown;
  cause: unknown;
}

export type StoreResult = IngestResult | FailedEvent;

/** Each round normally decides at least one event. This many rounds in a row without a decision are a bug. */
const MAX_FRUITLESS_ROUNDS = 20;
/** Waits before each retry of a statement after a deadlock or a lost connection, in ms. */
const RETRY_AFTER_MS = [20, 100, 400];
/** No retry starts later than this, since an attempt against a hanging server lasts for its full deadline. */
const GIVE_UP_AFTER_MS = 10_000;
/**
 * After so many failed events the others of a batch that fail with them are not tried alone: each costs a dozen
 * statements, for which all other events wait.
 */
const MOST_FAILED_ALONE = 20;

type Decided = [PreparedEvent, StoreResult];
type KeyHolders = ReadonlyMap<string, StoredHolder>;

/**
 * Stores a batch and returns the result of each event, in order. The results are the same as if the events were sent
 * one by one, unless more than MOST_FAILED_ALONE of them fail. A retry with the same events is safe: an event that holds
 * its own key was stored by an earlier attempt whose response was lost.
 * @throws Problem `storage-unavailable` when PostgreSQL cannot be reached. It is then unknown which events were stored.
 */
export async function storeBatch(pool: Pool, batch: readonly PreparedEvent[]): Promise<StoreResult[]> {
  const results = new Map<PreparedEvent, StoreResult>();
  const holders = new Map<string, StoredHolder>();
  const failed = { count: 0 };
  let open = batch;
  for (let fruitless = 0; open.length > 0;) {
    if (fruitless === MAX_FRUITLESS_ROUNDS) throw new Error(`no holder found for the keys of ${open.length} events`);
    const claimants = firstClaimants(open);
    const written = await write(pool, claimants, failed);
    if (written.length === batch.length) return written.map(([, result]) => result); // common case: all are new
    for (const [prepared, result] of written) results.set(prepared, result);
    if (results.size === batch.length) break;

    const lost = claimants.filter((prepared) => !results.has(prepared));
    for (const [digest, holder] of await findHolders(pool, written, lost)) holders.set(digest, holder);
    const waiting = open.filter((prepared) => !results.has(prepared));
    for (const [prepared, result] of decideInOrder(waiting, holders)) results.set(prepared, result);
    const undecided = waiting.filter((prepared) => !results.has(prepared));
    for (const prepared of undecided) takeOtherKeys(prepared, holders);
    fruitless = undecided.length === open.length ? fruitless + 1 : 0;
    open = undecided;
  }
  return batch.map((prepared) => results.get(prepared) as StoreResult);
}

/** Returns what storing these events would lead to; undefined for one that would be accepted. Stores nothing. */
export async function foreseenResults(
  pool: Pool,
  batch: readonly PreparedEvent[],
): Promise<(IngestResult | undefined)[]> {
  if (batch.length === 0) return [];
  const holders = await findKeyHolders(pool, batch.flatMap(lookedUpDigests));
  const decided = new Map(decideInOrder(batch, holders));
  return batch.map((prepared) => decided.get(prepared));
}

/** Returns the events that share no key with an earlier event of the list. The results of the others depend on them. */
function firstClaimants(events: readonly PreparedEvent[]): PreparedEvent[] {
  const taken = new Set<string>();
  return events.filter((prepared) => {
    const isFirst = !claimsOneOf(taken, prepared);
    for (const digest of digestsOf(prepared)) taken.add(digest);
    return isFirst;
  });
}

/**
 * Writes events that share no keys. Returns, in order, the events that were stored and those that PostgreSQL refused; the
 * others lost a key to another event. A list that PostgreSQL refuses for one of its events is halved until that event
 * stands alone (I10).
 * @param failed how many events of the batch have failed
 */
async function write(pool: Pool, events: PreparedEvent[], failed: { count: number }): Promise<Decided[]> {
  try {
    const { stored, history } = await repeated(
      () => storeEvents(pool, events),
      (error) => isMaybeOfOne(error) && storesOtherEvents(pool),
    );
    return stored.map((prepared) => [prepared, { kind: 'accepted', committed: committedFacts(prepared, history) }]);
  } catch (error) {
    if (errorCode(error) === PARTIAL_CLAIM) return [];
    const isOfContent = classifyPgError(error) === 'data';
    if (!isOfContent && !isMaybeOfOne(error) && !isUnexpected(error)) throw error;
    if (events.length > 1 && (isOfContent || failed.count < MOST_FAILED_ALONE)) {
      const middle = events.length >> 1;
      const first = await write(pool, events.slice(0, middle), failed);
      return [...first, ...(await write(pool, events.slice(middle), failed))];
    }
    if (isOfContent) return events.map((prepared) => [prepared, refusedByDatabase(error)]);
    failed.count += events.length;
    const reason = isUnexpected(error) ? error : refusedForNow(error, events.length);
    return events.map((prepared) => [prepared, { kind: 'failed', reason, cause: error }]);
  }
}

function refusedByDatabase(error: unknown): IngestResult {
  const message = `PostgreSQL cannot store this event (SQLSTATE ${errorCode(error)}).`;
  return { kind: 'rejected', rejection: { code: 'invalid-event', message, errors: [] } };
}

/** A failure with an SQLSTATE that nobody knows, such as that of a plain `raise exception` in a trigger. */
function isUnexpected(error: unknown): boolean {
  return classifyPgError(error) === 'unexpected' && /^[0-9A-Z]{5}$/.test(errorCode(error) ?? '');
}

/** @param events those that failed together; beyond MOST_FAILED_ALONE, one of several is at fault */
function refusedForNow(cause: unknown, events: number): Problem {
  const what = events === 1 ? 'this event' : 'an event that arrived with this one';
  const detail = `PostgreSQL refuses ${what} for now (SQLSTATE ${errorCode(cause)}), and stores others. Send it again.`;
  return new Problem('storage-unavailable', detail, { retryAfterSeconds: 2 });
}

/** Returns the key holders that this round found: the events just stored, and the holders of the keys of `lost`. */
async function findHolders(
  pool: Pool,
  written: readonly Decided[],
  lost: readonly PreparedEvent[],
): Promise<[string, StoredHolder][]> {
  const own = written.flatMap(([prepared, result]) => {
    if (result.kind !== 'accepted') return [];
    const holder = { ...result.committed, legacy: false, source: prepared.event.source };
    return digestsOf(prepared).map((digest): [string, StoredHolder] => [digest, holder]);
  });
  if (lost.length === 0) return own;
  return [...own, ...(await repeated(() => findKeyHolders(pool, lost.flatMap(lookedUpDigests))))];
}

/**
 * Decides events by the holders of their keys. Omits an event whose keys have no holder, and an event that shares a key
 * with an undecided event before it, since that event may still get the key.
 */
function decideInOrder(events: readonly PreparedEvent[], holders: KeyHolders): [PreparedEvent, IngestResult][] {
  const contested = new Set<string>();
  return events.flatMap((prepared): [PreparedEvent, IngestResult][] => {
    const digests = digestsOf(prepared);
    const waits = digests.some((digest) => contested.has(digest));
    const result = waits ? undefined : resultByHolders(prepared, holders);
    if (result) return [[prepared, result]];
    for (const digest of digests) contested.add(digest);
    return [];
  });
}

function resultByHolders(prepared: PreparedEvent, holders: KeyHolders): IngestResult | undefined {
  const decision = decide(prepared, holders);
  if (decision.kind === 'accepted') {
    const history = holders.get(prepared.keyDigest)?.history ?? null;
    return { kind: 'accepted', committed: committedFacts(prepared, history) };
  }
  if (decision.kind === 'rejected') return decision;
  if (decision.kind !== 'duplicate') return undefined;
  const { legacy: _, source: __, ...of } = decision.of;
  return { kind: 'duplicate', of, by: decision.by, layer: 'database' };
}

function decide(prepared: PreparedEvent, holders: KeyHolders): DuplicateDecision<StoredHolder> {
  const { keyDigest, eventIdDigest, rejectionDigest, legacy } = prepared;
  const holderOf = (digest: string | undefined): StoredHolder | undefined =>
    digest === undefined ? undefined : holders.get(digest);
  const decision = decideDuplicate(prepared, holderOf(keyDigest), holderOf(eventIdDigest), holderOf(rejectionDigest));
  if (decision.kind !== 'unknown' || !legacy) return decision;
  return decideByLegacyKeys(prepared, holderOf(legacy.derived), holderOf(legacy.eventId));
}

/**
 * Prepares an undecided event for the next round when its keys are taken by events that do not count. A content key that
 * belongs to a different event is replaced, and legacy keys are no longer looked up.
 */
function takeOtherKeys(prepared: PreparedEvent, holders: KeyHolders): void {
  const { event, keyKind, fingerprint, legacy } = prepared;
  const { kind } = decide(prepared, holders);
  if (kind === 'other-holder') prepared.keyDigest = secondContentKey(event.tenantId, fingerprint, keyKind);
  if (kind === 'unknown' && legacy && legacyDigests(prepared).some((digest) => holders.has(digest)))
    prepared.legacy = { ...legacy, derived: undefined, eventId: undefined };
}

/**
 * Retries a statement after any failure that is not its own fault (failure-classes.ts), once per entry of RETRY_AFTER_MS.
 * @param isOwnFault asked after each such failure; if it says yes, the error is thrown at once
 * @throws Problem `storage-unavailable` when the last retry has failed
 */
async function repeated<T>(
  statement: () => Promise<T>,
  isOwnFault?: (error: unknown) => false | Promise<boolean>,
): Promise<T> {
  const giveUpAtMs = performance.now() + GIVE_UP_AFTER_MS;
  for (let attempt = 0; ; attempt++) {
    try {
      return await statement();
    } catch (error) {
      if (!isWorthWaitingFor(error) || (await isOwnFault?.(error))) throw error;
      const waitMs = RETRY_AFTER_MS[attempt];
      if (waitMs === undefined || performance.now() > giveUpAtMs) {
        throw storageProblem(error, 'It is not known whether the event was stored. Send it again.') ?? error;
      }
      await sleep(waitMs);
    }
  }
}

/** Returns the digests of the keys that an event claims. */
export function digestsOf({ keyDigest, eventIdDigest, rejectionDigest }: PreparedEvent): string[] {
  const digests = eventIdDigest === undefined ? [keyDigest] : [keyDigest, eventIdDigest];
  if (rejectionDigest !== undefined) digests.push(rejectionDigest);
  return digests;
}

/** True if the event claims one of these keys. */
export function claimsOneOf(keys: ReadonlySet<string>, prepared: PreparedEvent): boolean {
  const { keyDigest, eventIdDigest, rejectionDigest } = prepared;
  if (keys.has(keyDigest) || (eventIdDigest !== undefined && keys.has(eventIdDigest))) return true;
  return rejectionDigest !== undefined && keys.has(rejectionDigest);
}

function lookedUpDigests(prepared: PreparedEvent): string[] {
  return [...digestsOf(prepared), ...legacyDigests(prepared)];
}

function legacyDigests({ legacy }: PreparedEvent): string[] {
  return legacy ? [legacy.derived, legacy.eventId].filter((digest) => digest !== undefined) : [];
}

/** Returns the facts of an event that this process has just committed, in this history of the database. */
export function committedFacts({ event, fingerprint }: PreparedEvent, history: string | null): CommittedEvent {
  const { id, eventId, receivedAt, correlationId, hash } = event;
  return { id, fingerprint, eventId, receivedAt, correlationId, hash, history };
}
