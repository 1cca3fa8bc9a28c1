import {
  countErasedDeliveries,
  countReceiverTexts,
  eraseReceiverTexts,
  skipErasedDeliveries,
} from '../../delivery-state/erasure/erase-deliveries.queries';
import type { Db } from '../../db/pool';
import {
  countDiscarded,
  countFailureTexts,
  deleteRetries,
  eraseFailureTexts,
  holdAttempts,
  releaseAttempts,
  settleErased,
} from '../../event-state/erasure/erase-states.queries';
import { countUnerasedRevisions, eraseRevisions } from '../../revisions/revisions.queries';
import { recordActionOnEvents } from '../audit/event-actions.queries';
import type { ErasureCounts, ErasureRange } from './erasure';
import { countWithRequest, listUnerased, removePayloads, removeRequests } from './selection/selected-events.queries';
import { eraseRejections, listEventsOfRejections } from './selection/selected-rejections.queries';
import { countSamplesOfTenant, deleteSamplesOfTenant } from './selection/selected-samples.queries';

type Counts = Partial<ErasureCounts>;

/** What is done with what an erasure selects. An erasure and its dry run differ in this only. */
export interface ErasureActs {
  /** Returns undefined if one of the events is being dispatched again: the transaction must then be rolled back. */
  events(db: Db, ids: readonly string[]): Promise<Counts | undefined>;
  /** Includes the events that the rejections became, whenever that was. Returns undefined as `events` does. */
  rejections(db: Db, ids: readonly string[]): Promise<Counts | undefined>;
  samples(db: Db, range: ErasureRange): Promise<Counts & { more: boolean }>;
}

/** Erases, in the transaction of a step. The timeline of each event names the erasure. */
export const eraseAs = (erasureId: string): ErasureActs => ({
  events: (db, ids) => eraseEvents(db, erasureId, ids),
  async rejections(db, ids) {
    const erased = await eraseRejections(db, ids);
    const became = await listUnerased(
      db,
      erased.flatMap(({ eventId }) => eventId ?? []),
    );
    const counts = became.length === 0 ? {} : await eraseEvents(db, erasureId, became);
    return counts && { ...counts, rejections: erased.length };
  },
  async samples(db, range) {
    const { deleted, more } = await deleteSamplesOfTenant(db, range);
    return { samples: deleted, more };
  },
});

/** In the order in which workers lock: attempts, retries, states, deliveries, and the failures of destinations. */
async function eraseEvents(db: Db, erasureId: string, ids: readonly string[]): Promise<Counts | undefined> {
  const standing = await holdAttempts(db, ids);
  await deleteRetries(db, ids);
  const settled = await settleErased(db, standing);
  if (settled.length < ids.length) return undefined;
  await releaseAttempts(db, ids);
  const deliveries = await skipErasedDeliveries(db, ids);
  const texts = (await eraseReceiverTexts(db, ids)) + (await eraseFailureTexts(db, ids));
  const revisions = await eraseRevisions(db, ids);
  const requestIds = await removePayloads(db, ids);
  await removeRequests(db, requestIds);
  await recordActionOnEvents(db, erasureId, settled);
  const discarded = settled.filter((event) => event.discarded).length;
  return { events: ids.length, discarded, requests: requestIds.length, revisions, deliveries, texts };
}

/**
 * Counts what eraseAs would do. Remembers the events that rejections became: the selection may include such an event,
 * and two rejections may have become the same one, but it is erased once.
 */
export function countOnly(): ErasureActs {
  const counted = new Set<string>();
  const uncounted = (ids: readonly string[]): string[] => ids.filter((id) => !counted.has(id));
  return {
    events: (db, ids) => countEvents(db, uncounted(ids)),
    async rejections(db, ids) {
      const became = uncounted(await listUnerased(db, await listEventsOfRejections(db, ids)));
      for (const id of became) counted.add(id);
      return { ...(await countEvents(db, became)), rejections: ids.length };
    },
    async samples(db, range) {
      return { samples: await countSamplesOfTenant(db, range), more: false };
    },
  };
}

async function countEvents(db: Db, ids: readonly string[]): Promise<Counts> {
  if (ids.length === 0) return {};
  const [discarded, requests, revisions, deliveries, failures, receivers] = [
    await countDiscarded(db, ids),
    await countWithRequest(db, ids),
    await countUnerasedRevisions(db, ids),
    await countErasedDeliveries(db, ids),
    await countFailureTexts(db, ids),
    await countReceiverTexts(db, ids),
  ];
  return { events: ids.length, discarded, requests, revisions, deliveries, texts: failures + receivers };
}
