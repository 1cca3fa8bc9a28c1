import type { Courier } from '../../destinations/courier';
import type { SealedDestination } from '../../destinations/destination';
import { sha256 } from '../../event/content-hash';
import { eventJson } from '../../event/event';
import { uuidV7 } from '../../event/uuid-v7';
import type { TestDeliveryResponse } from './destination.responses';

const TYPE = 'streamforge.test';

/** Sends an event that is stored nowhere, once, whether the destination is enabled or not. */
export async function sendTest(
  courier: Courier,
  destination: SealedDestination,
  correlationId: string,
): Promise<TestDeliveryResponse> {
  const startedMs = Date.now();
  const id = uuidV7();
  const body = Buffer.from(testEventJson(id, destination, correlationId, new Date(startedMs).toISOString()));
  const answer = await courier.test(destination, { id, body, correlationId });
  const durationMs = Date.now() - startedMs;
  if (answer.kind === 'failed') {
    return { delivered: false, status: null, reasonCode: answer.reason, message: answer.message, durationMs };
  }
  const { status, text } = answer;
  const delivered = status >= 200 && status < 300;
  return { delivered, status, reasonCode: reasonOf(status), message: text.replaceAll('\0', ' '), durationMs };
}

function reasonOf(status: number): string {
  if (status >= 200 && status < 300) return 'PROCESSED';
  return status === 429 ? 'HTTP_429' : `HTTP_${Math.floor(status / 100)}XX`;
}

function testEventJson(id: string, { tenantId }: SealedDestination, correlationId: string, at: string): string {
  const payloadJson = JSON.stringify({ message: 'A test delivery. Nothing happened.' });
  return eventJson({
    id,
    tenantId,
    eventId: id,
    type: TYPE,
    subject: 'test',
    partitionKey: 'test',
    occurredAt: at,
    receivedAt: at,
    payloadJson,
    source: 'streamforge',
    schemaVersion: '1.0.0',
    specVersion: '1.0',
    hash: Buffer.from(sha256(payloadJson)).toString('hex'),
    correlationId,
    traceparent: undefined,
    sizeBytes: Buffer.byteLength(payloadJson),
  });
}
