import type { Evidence, ReadBack, StoredEvent } from '../evidence/evidence';
import { correlationOf } from '../load/sender';
import type { PlannedEvent } from '../load/planned-event';
import { entriesOf, type EntryOf } from '../run/journal';
import { answersIn } from './answers';
import { violation, type Violation } from './violation';

/** All clocks are those of one machine. */
const CLOCK_MARGIN_MS = 1_000;

type Fields = Record<string, unknown>;

/** Every field is stored and read back as it was sent, and the payload as the same text. */
export function checkFields(evidence: Evidence): Violation[] {
  const requests = Map.groupBy(
    entriesOf(evidence.journal, 'sent').flatMap((sent) => sent.names.map((name) => ({ name, sent }))),
    ({ name }) => name,
  );
  const stored = new Map(evidence.stored.map((event) => [event.name, event]));
  return [...evidence.readBack].flatMap(([name, read]) => {
    const planned = evidence.sent.get(name);
    if (!planned || read.httpStatus !== 200) return []; // reported by other rules
    const fields = JSON.parse(read.text) as Fields;
    const sendings = requests.get(name)?.map(({ sent }) => sent) ?? [];
    const sentMs = evidence.startedMs + (sendings[0]?.atMs ?? 0);
    return [
      ...differences(fields, planned).map((text) => violation('changed', `${name}: ${text}`, name)),
      ...originOf(fields, planned, { sendings, sentMs }).map((text) => violation('changed', `${name}: ${text}`, name)),
      ...(stored.get(name)?.erased ? [] : payloadOf(read, planned)).map((text) =>
        violation('changed', `${name}: ${text}`, name),
      ),
      ...sizeOf(stored.get(name), planned).map((text) => violation('changed', `${name}: ${text}`, name)),
    ];
  });
}

/** The fields in responses equal those that are read back. */
export function checkAnswers({ journal, readBack }: Evidence): Violation[] {
  const reads = new Map<string, Fields>();
  for (const [name, { httpStatus, text }] of readBack)
    if (httpStatus === 200) reads.set(name, JSON.parse(text) as Fields);
  return answersIn(journal)
    .flatMap(({ told }) => told)
    .flatMap(({ name, fields = {} }) => {
      const read = reads.get(name);
      if (!read) return [];
      const said = Object.entries(fields).filter(([field]) => field !== 'status' && field !== 'duplicate');
      // checkAcknowledged reports a wrong id.
      const wrong = said.filter(([field, value]) => field !== 'id' && read[field] !== value);
      return wrong.map(([field, value]) =>
        violation(
          'changed',
          `${name}: was answered with ${field} ${String(value)}, and is read back with ${String(read[field])}`,
          name,
        ),
      );
    });
}

function differences(fields: Fields, { tenant, expected }: PlannedEvent): string[] {
  const { eventId, occurredAt, correlationId, payloadText: _, sizeBytes: __, ...always } = expected;
  const wanted: Fields = {
    ...always,
    tenantId: tenant,
    eventId: eventId ?? fields.id,
    occurredAt: occurredAt ?? fields.receivedAt,
    correlationId: correlationId ?? fields.correlationId,
  };
  return Object.entries(wanted)
    .filter(([field, value]) => fields[field] !== value)
    .map(([field, value]) => `${field} is ${String(fields[field])}, not ${String(value)}`);
}

/** Correlation id and time of receipt belong to a request that carried the event. */
function originOf(
  fields: Fields,
  { expected }: PlannedEvent,
  { sendings, sentMs }: { sendings: EntryOf<'sent'>[]; sentMs: number },
): string[] {
  const own = expected.correlationId !== undefined;
  const from = sendings.some(({ request }) => fields.correlationId === correlationOf(request));
  const early = Date.parse(String(fields.receivedAt)) < sentMs - CLOCK_MARGIN_MS;
  return [
    ...(own || from ? [] : [`correlationId ${String(fields.correlationId)} belongs to no request with this event`]),
    ...(early ? [`was received at ${String(fields.receivedAt)}, before it was sent`] : []),
  ];
}

/** Compares text, because parsing rounds numbers. */
function payloadOf({ text }: ReadBack, { expected: { payloadText } }: PlannedEvent): string[] {
  return payloadFollows(text, payloadText)
    ? []
    : [`the payload was sent as ${payloadText} and is read back as ${text}`];
}

/** Looks at the first `"payload":` in the text. Before it there are only strings, in which quotes are escaped. */
export function payloadFollows(eventJson: string, payloadText: string): boolean {
  const start = eventJson.indexOf('"payload":') + '"payload":'.length;
  const end = start + payloadText.length;
  return eventJson.slice(start, end) === payloadText && /^[,}]/.test(eventJson.slice(end));
}

function sizeOf(stored: StoredEvent | undefined, { expected: { sizeBytes } }: PlannedEvent): string[] {
  if (!stored || stored.sizeBytes === sizeBytes) return [];
  return [`is stored with ${stored.sizeBytes} bytes, not ${sizeBytes}`];
}
