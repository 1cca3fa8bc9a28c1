import { explicitKey, sourceKey } from '../../event/identity/idempotency-key';
import type { PreparedEvent } from '../../event/prepare-event';
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
  const own = ownKeyOf(id);
  if (format === 'source') return patch === 'changed' ? own : undefined;
  const isTaken = code === 'idempotency-key-reused';
  if (isTaken && patch !== 'none') return own;
  return requestKey ?? (patch === 'changed' ? own : undefined);
}

const ownKeyOf = (id: string): string => `rejection:${id}`;

/**
 * Whether the key of an event is the one that its rejection gave it. The event that holds this key is what the rejection
 * became, whatever its content is now.
 * @param record number of the event among those of the rejection, from 1
 */
export function hasOwnKey(
  { id, tenantId, sourceId }: Pick<Rejection, 'id' | 'tenantId' | 'sourceId'>,
  { keyKind, keyDigest }: Pick<PreparedEvent, 'keyKind' | 'keyDigest'>,
  record: number,
): boolean {
  if (keyKind !== 'explicit') return false;
  const own = ownKeyOf(id);
  return [own, `${own}#${record}`].some((key) => {
    return keyDigest === (sourceId === null ? explicitKey(tenantId, key) : sourceKey(tenantId, sourceId, key));
  });
}
