import { usageError } from '../cli-error';
import { jsonText } from './json-text';

/** The fields of an event that options give. */
export interface EventOptions {
  type?: string;
  subject?: string;
  payload?: string;
  eventId?: string;
  occurredAt?: string;
  source?: string;
  partitionKey?: string;
}

/**
 * The envelope of an event as JSON text. The payload is the text that was given, so that its numbers stay exact.
 * @throws CliError when a field is missing or the payload is no JSON
 */
export function envelopeText({ type, subject, payload, ...others }: EventOptions): string {
  const missing = Object.entries({ '--type': type, '--subject': subject, '--payload': payload }).filter(
    ([, value]) => value === undefined,
  );
  if (missing.length > 0) {
    throw usageError(
      `An event needs ${missing.map(([name]) => name).join(', ')}. Or give the whole envelope as an argument or on standard input ("-").`,
    );
  }
  const fields = JSON.stringify({ eventType: type, subject, ...others }).slice(0, -1);
  return `${fields},"payload":${jsonText(payload as string, 'The payload')}}`;
}

export function hasEventOptions(options: EventOptions): boolean {
  const { type, subject, payload, eventId, occurredAt, source, partitionKey } = options;
  return [type, subject, payload, eventId, occurredAt, source, partitionKey].some((value) => value !== undefined);
}
