import { hash } from 'node:crypto';
import { explicitKey, sourceKey } from '../../../event/identity/idempotency-key';
import type { PreparedEvent } from '../../../event/prepare-event';
import { recordKey } from '../../../ingest/rejected/rejected-records';
import type { KeptRejection } from '../../../rejections/rejections.queries';

/** What a patch makes of a record. */
export type PatchEffect = 'none' | 'no-change' | 'changed';

export interface ResubmissionKey {
  /** The explicit idempotency key; undefined if the id or the content of the record is its key. */
  key: string | undefined;
  /** Whether it also replaces a key that the mapping of a source finds. */
  replacesMapped: boolean;
}

/**
 * Chooses the idempotency key of a resubmitted record. A record keeps its key, so that resubmitting it twice, or beside
 * the producer's own resend, makes one event. A record without a key that a patch has changed gets one, so that two
 * patches make one event. So does a patched record whose key belongs to another event.
 */
export function keyForResubmission(kept: KeptRejection, patch: PatchEffect): ResubmissionKey {
  if (kept.code === 'idempotency-key-reused' && patch !== 'none') {
    return { key: keyOfRejection(kept), replacesMapped: true };
  }
  const own = patch === 'changed' ? keyOfContent(kept) : undefined;
  if (kept.format === 'source') return { key: own, replacesMapped: false };
  return { key: keyOfRecord(kept) ?? own, replacesMapped: false };
}

/** A stream that was refused as a whole can only be resubmitted if it is one record, and the producer's resend numbers it. */
function keyOfRecord({ endpoint, recordNumber, requestKey }: KeptRejection): string | undefined {
  if (endpoint !== 'stream' || recordNumber !== null) return requestKey ?? undefined;
  return recordKey(requestKey ?? undefined, 1);
}

/** A record that was refused each time it was sent has several rejections. All have the same key. */
function keyOfContent(kept: KeptRejection): string {
  const { tenantId, sourceId, endpoint, format, digest } = kept;
  const identity = [tenantId, sourceId, endpoint, format, ...identityOfRequest(kept), digest];
  return `rejection:${hash('sha256', JSON.stringify(identity), 'hex')}`;
}

/** What a request says about its record outside the body, and says again when it is sent again. */
function identityOfRequest({ requestJson }: KeptRejection): unknown[] {
  if (requestJson === null) return [];
  const {
    path,
    query,
    headers = {},
  } = JSON.parse(requestJson) as {
    path?: string;
    query?: object;
    headers?: Record<string, string>;
  };
  const attributes = Object.entries(headers).filter(([name]) => name.startsWith('ce-'));
  return [path, query, attributes.sort(([a], [b]) => (a < b ? -1 : 1))];
}

const keyOfRejection = ({ id }: KeptRejection): string => `rejection:${id}`;

/**
 * Whether the key of an event is the one that its rejection gave it. The event that holds this key is what the rejection
 * became, whatever its content is now.
 * @param record number of the event among those of the rejection, from 1
 */
export function hasOwnKey(
  kept: KeptRejection,
  { keyKind, keyDigest }: Pick<PreparedEvent, 'keyKind' | 'keyDigest'>,
  record: number,
): boolean {
  if (keyKind !== 'explicit') return false;
  const { tenantId, sourceId } = kept;
  const own = [keyOfRejection(kept), keyOfContent(kept)];
  return own
    .flatMap((key) => [key, `${key}#${record}`])
    .some((key) => {
      return keyDigest === (sourceId === null ? explicitKey(tenantId, key) : sourceKey(tenantId, sourceId, key));
    });
}
