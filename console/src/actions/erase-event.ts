import { act } from '../api/client';
import type { Schema } from '../api/endpoints';
import { countOf } from '../format/numbers';
import type { BulkAction } from './bulk-dialog';
import type { Outcome } from './outcome';

type Counts = Schema<'ErasureCountsResponse'>;

/** Erases what one event holds. The publishers carry it out, some seconds after the response. */
export const eraseEvent = (tenantId: string, eventId: string): BulkAction => ({
  verb: 'Erase',
  done: 'will be erased in a moment',
  noun: 'event',
  effect:
    'The payload, its revisions, and what responses repeat of it are removed for ever. Its id, hash, idempotency key and the audit trail stay, so a resend is still a duplicate.',
  isFinal: true,
  run: async ({ dryRun, note, idempotencyKey }): Promise<Outcome> => {
    const body = { tenantId, eventIds: [eventId], dryRun, ...(note === undefined ? {} : { note }) };
    const { counts, notFoundCount } = await act('post', '/v1/admin/erasures', { body, idempotencyKey });
    if (dryRun) return { matched: counts.events, changed: 0, skipped: 0, remarks: remarksOn(counts) };
    const matched = 1 - notFoundCount;
    return { matched, changed: matched, skipped: 0 };
  },
});

/** What is removed or stopped besides the payload. */
function remarksOn({ discarded, revisions, deliveries, rejections }: Counts): string[] {
  const said: [number, string, string][] = [
    [discarded, 'event', 'has not been processed, and will not be'],
    [revisions, 'revision', 'goes as well'],
    [deliveries, 'delivery', 'has not been made, and will not be'],
    [rejections, 'rejection', 'loses its bytes'],
  ];
  return said.flatMap(([count, noun, what]) => (count === 0 ? [] : [`${countOf(count, noun)}: ${what}.`]));
}
