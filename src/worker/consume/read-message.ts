import type { Message } from '../../broker/broker';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { isEnvelopeText } from '../../event/envelope-text';
import { isStoredInstant } from '../../event/instant';
import { isTenantId } from '../../event/tenant';
import { isUuid } from '../../event/uuid-v7';
import { isTraceparent } from '../../event/traceparent';

/**
 * Reads the event of a message. Returns undefined if a header does not have exactly the shape in which StreamForge
 * writes it, or a value that PostgreSQL could not store, because StreamForge did not publish that message. A malformed
 * trace context or time of publishing is left out.
 *
 * The message of a revision has a negative generation (toMessage). Without its revision, the build before has published
 * it, with the payload as it was sent: the reconciler dispatches the event again.
 */
export function readDispatchedEvent({ id, headers, body }: Message): DispatchedEvent | undefined {
  const tenantId = headers['tenant-id'];
  const type = headers['event-type'];
  const receivedAt = headers['received-at'];
  const sizeBytes = headers['size-bytes'];
  const correlationId = headers['correlation-id'];
  const dispatchNo = headers['dispatch-no'];
  const { traceparent } = headers;
  const dispatch = revisedDispatch(headers);
  if (!isKnownForm(headers)) return undefined;
  if (!isUuid(id) || typeof tenantId !== 'string' || !isTenantId(tenantId)) return undefined;
  if (!isText(type) || !isText(correlationId)) return undefined;
  if (typeof receivedAt !== 'string' || !isTimeOfReceipt(receivedAt)) return undefined;
  if (!isCount(sizeBytes, 0) || !isCount(dispatchNo, 1) || !dispatch) return undefined;
  const trace = typeof traceparent === 'string' && isTraceparent(traceparent) ? { traceparent } : {};
  const published = publishedAt(headers['published-at']);
  return {
    id,
    tenantId,
    type,
    receivedAt,
    sizeBytes,
    correlationId,
    ...trace,
    dispatchNo,
    ...dispatch,
    ...published,
    body,
  };
}

/** Messages of the build before have no form. Form 1 can hold several entries, but no build has written more than one so far. */
const isKnownForm = ({ form = 1, entries = 1 }: Message['headers']): boolean => form === 1 && entries === 1;

function revisedDispatch({
  generation,
  revision,
}: Message['headers']): Pick<DispatchedEvent, 'generation' | 'revision'> | undefined {
  if (isCount(generation, 1)) return revision === undefined ? { generation, revision: undefined } : undefined;
  if (typeof generation !== 'number' || !isCount(-generation, 1) || !isCount(revision, 2)) return undefined;
  return { generation: -generation, revision };
}

/** Each character has up to two UTF-16 code units. The length is checked first, because the text may have megabytes. */
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 2 * 255 && isEnvelopeText(value);

/** Only measured: left out if it is no time. */
const publishedAt = (ms: unknown): Pick<DispatchedEvent, 'publishedAtMs'> =>
  Number.isSafeInteger(ms) && (ms as number) > 0 ? { publishedAtMs: ms as number } : {};

/** The bounds are far from every clock that is only wrong, and keep days out of usage_daily that nobody will ever see. */
const isTimeOfReceipt = (text: string): boolean => isStoredInstant(text) && text >= '2000' && text < '3000';

/** PostgreSQL stores these as integers, and the next dispatch gets the number after this one. */
const MOST = 2 ** 31 - 2;

const isCount = (value: unknown, least: number): value is number =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= MOST;
