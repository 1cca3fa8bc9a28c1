import type { Rejection } from '../../rejections/rejection';

/**
 * Chooses the explicit idempotency key of a resubmitted record; undefined if its own id or its content is its key. A
 * record keeps its key, so that resubmitting it twice, or beside the producer's own resend, makes one event. A record
 * without a key that a patch has changed gets one, so that two patches make one event. So does a patched record whose
 * key belongs to another event. For a record of a source, this key counts only if its mapping finds none.
 */
export function keyForResubmission(
  { id, code, format, requestKey }: Pick<Rejection, 'id' | 'code' | 'format' | 'requestKey'>,
  patch: 'none' | 'no-change' | 'changed',
): string | undefined {
  const own = `rejection:${id}`;
  if (format === 'source') return patch === 'changed' ? own : undefined;
  const isTaken = code === 'idempotency-key-reused';
  if (isTaken && patch !== 'none') return own;
  return requestKey ?? (patch === 'changed' ? own : undefined);
}
