import type { Event } from '../../event/event';

/** What two events with the same key are compared by. */
export type EventContent = Pick<
  Event,
  | 'id'
  | 'eventId'
  | 'type'
  | 'subject'
  | 'partitionKey'
  | 'occurredAt'
  | 'receivedAt'
  | 'source'
  | 'schemaVersion'
  | 'specVersion'
  | 'payloadJson'
  | 'extensionsJson'
>;

/** Leaves out the id and the time that StreamForge gave to an event without them. */
export function contentJson(event: EventContent): string {
  const { id, eventId, occurredAt, receivedAt, payloadJson, extensionsJson } = event;
  const { type, subject, partitionKey, source, schemaVersion, specVersion } = event;
  const fields = {
    ...(eventId === id ? {} : { eventId }),
    ...{ type, subject, partitionKey, source, schemaVersion, specVersion },
    ...(occurredAt === receivedAt ? {} : { occurredAt }),
  };
  const extensions = extensionsJson ? `,"extensions":${extensionsJson}` : '';
  return `${JSON.stringify(fields).slice(0, -1)},"payload":${payloadJson}${extensions}}`;
}
