import type { Evidence, RolledUp, StoredDelivery, StoredEvent } from '../evidence/evidence';
import { violation, type Violation } from './violation';

/** Something that the roll-up has to count once. */
export interface Fact {
  measure: string;
  tenant: string;
  /** Its key in each dimension. */
  keys: Record<string, string>;
  latencyMs?: number;
}

/** Each bucket of latencies ends at this factor times the end of the one before. */
const GROWTH = 1.2;
/** Latencies are computed in another way here, and may differ at the end of a bucket. */
const TOLERANCE = 0.001;
const QUANTILES = [0.5, 0.95, 0.99];

/**
 * Metrics are rolled up from what is stored: each event, rejection and delivery is counted once, under its tenant and in
 * each dimension, whoever rolled up, and however late it was committed. Quantiles of latencies lie in the right bucket.
 */
export function checkRolledUp(evidence: Evidence): Violation[] {
  const facts = factsOf(evidence);
  return [...checkSums(facts, evidence.rolledUp), ...checkLatencies(facts, evidence.rolledUp)];
}

function checkSums(facts: readonly Fact[], rolledUp: readonly RolledUp[]): Violation[] {
  const should = new Map<string, number>();
  for (const { measure, tenant, keys } of facts) {
    for (const [dimension, key] of Object.entries(keys)) add(should, [measure, dimension, tenant, key], 1);
  }
  const is = new Map<string, number>();
  for (const { measure, dimension, tenant, key, count } of rolledUp) add(is, [measure, dimension, tenant, key], count);
  return [...new Set([...should.keys(), ...is.keys()])].flatMap((name) => {
    const [counted = 0, stored = 0] = [is.get(name), should.get(name)];
    return counted === stored ? [] : [violation('metrics', `${name}: ${counted} rolled up, ${stored} stored`)];
  });
}

function add(sums: Map<string, number>, name: readonly (string | null)[], count: number): void {
  const key = name.map((part) => part ?? 'smaller keys').join(' ');
  sums.set(key, (sums.get(key) ?? 0) + count);
}

function checkLatencies(facts: readonly Fact[], rolledUp: readonly RolledUp[]): Violation[] {
  const completed = rolledUp.filter(({ measure, dimension }) => measure === 'completed' && dimension === 'tenant');
  const latencies = facts.flatMap(({ tenant, latencyMs }) => (latencyMs === undefined ? [] : [{ tenant, latencyMs }]));
  return [...Map.groupBy(latencies, ({ tenant }) => tenant)].flatMap(([tenant, own]) => {
    const sorted = own.map(({ latencyMs }) => latencyMs).toSorted((a, b) => a - b);
    const buckets = completed.filter((row) => row.tenant === tenant).toSorted((a, b) => a.bucket - b.bucket);
    return QUANTILES.flatMap((quantile) => {
      const rank = Math.ceil(quantile * sorted.length);
      const ms = sorted[rank - 1] ?? 0;
      const bucket = bucketOfRank(buckets, rank);
      if (bucket !== undefined && isIn(bucket, ms)) return [];
      const text = `p${quantile * 100} of ${tenant} is ${ms.toFixed(1)} ms, and rolled up in bucket ${bucket ?? 'none'}`;
      return [violation('metrics', text)];
    });
  });
}

function bucketOfRank(buckets: readonly RolledUp[], rank: number): number | undefined {
  let missing = rank;
  return buckets.find(({ count }) => (missing -= count) <= 0)?.bucket;
}

const isIn = (bucket: number, ms: number): boolean =>
  ms <= Math.max(1, GROWTH ** bucket) * (1 + TOLERANCE) &&
  (bucket === 0 || ms >= GROWTH ** (bucket - 1) * (1 - TOLERANCE));

/** What has to be rolled up. */
export function factsOf({
  stored,
  rejections,
  startedMs,
}: Pick<Evidence, 'stored' | 'rejections' | 'startedMs'>): Fact[] {
  return [
    ...stored.flatMap((event) => [...acceptedOf(event, startedMs), ...deliveriesOf(event)]),
    ...rejections.map(({ tenant, sourceId, type, code }): Fact => {
      return { measure: 'rejected', tenant, keys: { tenant, source: sourceId ?? '', type: type ?? '', code } };
    }),
  ];
}

function acceptedOf(event: StoredEvent, startedMs: number): Fact[] {
  const { tenant, type, sourceId, receivedAt } = event;
  const keys = { tenant, source: sourceId ?? '', type };
  const completedMs = firstCompletedMs(event);
  const accepted: Fact = { measure: 'accepted', tenant, keys };
  if (completedMs === undefined) return [accepted];
  const latencyMs = completedMs - (Date.parse(receivedAt) - startedMs);
  return [accepted, { measure: 'completed', tenant, keys, latencyMs }];
}

/**
 * When its handlers had succeeded and each delivery that this made had arrived or was skipped, itself or by a later one to
 * the same destination. What an erasure skips completes nothing.
 */
function firstCompletedMs({ attempts, deliveries }: StoredEvent): number | undefined {
  const times = attempts.flatMap(({ status, atMs }) => {
    if (status !== 'SUCCESS') return [];
    const own = deliveries.filter(({ createdMs, isBackfilled }) => createdMs === atMs && !isBackfilled);
    return [Math.max(atMs, ...own.map((delivery) => arrivedMs(delivery, deliveries)))];
  });
  const first = Math.min(...times);
  return first === Infinity ? undefined : first;
}

function arrivedMs({ destinationId, generation }: StoredDelivery, deliveries: readonly StoredDelivery[]): number {
  const arrived = deliveries.filter(
    (other) =>
      other.destinationId === destinationId &&
      other.generation >= generation &&
      ['DELIVERED', 'SKIPPED'].includes(other.status) &&
      other.reasonCode !== 'ERASED',
  );
  return Math.min(...arrived.map(({ settledMs }) => settledMs ?? Infinity));
}

function deliveriesOf({ tenant, type, deliveries }: StoredEvent): Fact[] {
  return deliveries.flatMap(({ destination, log }) =>
    log.flatMap(({ reasonCode, isFailure }): Fact[] => {
      const keys = { tenant, destination, type };
      if (reasonCode === 'PROCESSED') return [{ measure: 'delivered', tenant, keys }];
      return isFailure ? [{ measure: 'failed', tenant, keys: { ...keys, code: reasonCode } }] : [];
    }),
  );
}
