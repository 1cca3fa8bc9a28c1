import type { PreparedEvent } from '../../../event/prepare-event';
import type { Intake } from '../../../ingest/store/intake';
import type { IngestResult } from '../../../ingest/store/store-batch';
import { DeadlineExceeded, withinDeadline } from '../../../runtime/deadline';
import { slicesOf } from './foresight';

/**
 * Maximum time for storing the events of a part. The rejections are locked and a connection is taken meanwhile, and the
 * operator waits for the response.
 */
const MOST_MS = 8_000;
/** Maximum number of events that wait in the ingest queue: it holds 10,000, and producers need it. */
const MOST_WAITING = 500;

export interface StoredInTime {
  /** Of the first events, in order. */
  results: IngestResult[];
  /** Why the others are not known to be stored. */
  failure?: unknown;
}

/**
 * Stores events. Gives up after MOST_MS: events that are in the ingest queue by then may be stored later, and the next
 * resubmission finds them by the key of their rejection.
 */
export async function storeInTime(
  intake: Pick<Intake, 'acceptAll'>,
  events: readonly PreparedEvent[],
  mostMs = MOST_MS,
): Promise<StoredInTime> {
  const late = new AbortController();
  const results: IngestResult[] = [];
  const storeAll = async (): Promise<StoredInTime> => {
    for (const slice of slicesOf(events, MOST_WAITING)) {
      late.signal.throwIfAborted();
      const stored = await intake.acceptAll(slice, late.signal);
      results.push(...stored.results);
      if (stored.failure !== undefined) return { results, failure: stored.failure };
    }
    return { results };
  };
  try {
    return await withinDeadline(mostMs, storeAll());
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error;
    late.abort(error);
    return { results: [...results], failure: error };
  }
}
