import { act, read } from '../api/client';
import { countOf } from '../format/numbers';
import type { BulkAction } from './bulk-dialog';
import type { Outcome } from './outcome';

/** So many entries are retried by one request, the oldest first. */
const MOST = 1_000;

/** Returns outbox entries that could not be published to PENDING: these, or the oldest. */
export const retryOutboxEntries = (ids?: readonly string[]): BulkAction => ({
  verb: 'Retry',
  done: 'returned to PENDING',
  noun: 'entry',
  effect: 'The publisher tries them again. An event whose entry is published is processed once.',
  takesNote: false,
  run: async ({ dryRun, idempotencyKey }): Promise<Outcome> => {
    if (dryRun) return count(ids);
    const body = ids === undefined ? {} : { ids: [...ids] };
    const { matched, requeued, skipped } = await act('post', '/v1/admin/outbox/retry', { body, idempotencyKey });
    return { matched, changed: requeued, skipped };
  },
});

/** The endpoint has no dry run. */
async function count(ids: readonly string[] | undefined): Promise<Outcome> {
  const { states, failed } = await read('/v1/admin/outbox');
  const matched = ids ? failed.filter(({ id }) => ids.includes(id)).length : Math.min(states.FAILED, MOST);
  const isMore = ids === undefined && states.FAILED > MOST;
  const remarks = isMore ? [`These are the oldest ${countOf(MOST, 'entry')}. Repeat it for the rest.`] : [];
  return { matched, changed: 0, skipped: 0, remarks };
}
