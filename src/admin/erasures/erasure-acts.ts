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
import { countWithRequest, removePayloads, removeRequests } from './selected-events.queries';
import { eraseRejections } from './selected-rejections.queries';
import { countSamplesOfTenant, deleteSamplesOfTenant } from './selected-samples.queries';

type Counts = Partial<ErasureCounts>;

/** What is done with what an erasure selects. An erasure and its dry run differ in this only. */
export interface ErasureActs {
  /** Returns undefined if one of the events is being dispatched again: the transaction must then be rolled back. */
  events(db: Db, ids: readonly string[]): Promise<Counts | undefined>;
  rejections(db: Db, ids: readonly string[]): Promise<Counts>;
  samples(db: Db, range: ErasureRange): Promise<Counts & { more: boolean }>;
}

/** Erases, in the transaction of a step. The timeline of each event names the erasure. */
export const eraseAs = (erasureId: string): ErasureActs => ({
  /** In the order in which workers lock: attempts, retries, states, deliveries, and the failures of destinations. */
  async events(db, ids) {
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
  },
  async rejections(db, ids) {
    return { rejections: await eraseRejections(db, ids) };
  },
  async samples(db, range) {
    const { deleted, more } = await deleteSamplesOfTenant(db, range);
    return { samples: deleted, more };
  },
});

/** Counts what eraseAs would do. */
export const COUNT: ErasureActs = {
  async events(db, ids) {
    const [discarded, requests, revisions, deliveries, failures, receivers] = [
      await countDiscarded(db, ids),
      await countWithRequest(db, ids),
      await countUnerasedRevisions(db, ids),
      await countErasedDeliveries(db, ids),
      await countFailureTexts(db, ids),
      await countReceiverTexts(db, ids),
    ];
    return { events: ids.length, discarded, requests, revisions, deliveries, texts: failures + receivers };
  },
  rejections(_db, ids) {
    return Promise.resolve({ rejections: ids.length });
  },
  async samples(db, range) {
    return { samples: await countSamplesOfTenant(db, range), more: false };
  },
};
