import { CloudEvent } from 'cloudevents';

/** A normalised event, as GET returns it and destinations receive it. */
export interface NormalisedEvent {
  eventId: string;
  type: string;
  source: string;
  subject: string;
  occurredAt: string;
  payload: unknown;
  extensions?: Record<string, unknown>;
}

/** Makes a CloudEvent of a normalised event by the rule in docs/sending-events.md. */
export function cloudEventOf(event: NormalisedEvent): CloudEvent<unknown> {
  const { eventId: id, type, source, subject, occurredAt: time, extensions } = event;
  const data = dataOf(event.payload);
  return new CloudEvent<unknown>({
    specversion: '1.0',
    id,
    type,
    source,
    time,
    ...(subject === source ? {} : { subject }),
    ...extensions,
    ...(data === undefined ? {} : { data }),
  });
}

function dataOf(payload: unknown): unknown {
  if (payload === null) return undefined;
  if (typeof payload !== 'object' || !('@contentType' in payload)) return payload;
  if ('@text' in payload) return payload['@text'];
  return '@base64' in payload ? Buffer.from(String(payload['@base64']), 'base64') : payload;
}
