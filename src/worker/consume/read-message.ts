import type { Message } from '../../broker/broker';
import { isUuid } from '../../event/uuid-v7';
import type { DispatchedEvent } from '../../event/dispatched-event';

/** Reads the event of a message. Returns undefined if StreamForge did not publish the message. */
export function readDispatchedEvent({ id, headers, body }: Message): DispatchedEvent | undefined {
  const tenantId = headers['tenant-id'];
  const type = headers['event-type'];
  const receivedAt = headers['received-at'];
  const sizeBytes = headers['size-bytes'];
  const correlationId = headers['correlation-id'];
  const dispatchNo = headers['dispatch-no'];
  const generation = headers.generation;
  if (!isUuid(id) || typeof tenantId !== 'string' || typeof type !== 'string') return undefined;
  if (typeof receivedAt !== 'string' || typeof correlationId !== 'string') return undefined;
  if (typeof sizeBytes !== 'number' || typeof dispatchNo !== 'number' || typeof generation !== 'number')
    return undefined;
  const { traceparent } = headers;
  const trace = typeof traceparent === 'string' ? { traceparent } : {};
  return { id, tenantId, type, receivedAt, sizeBytes, correlationId, ...trace, dispatchNo, generation, body };
}
