import type { Evidence, ReadBack, StoredEvent } from '../evidence/evidence';
import { correlationOf } from '../load/sender';
import type { PlannedEvent } from '../load/planned-event';
import { entriesOf, type EntryOf } from '../run/journal';
import { answersIn } from './answers';
import type { Span } from './fault-windows';
import { violation, type Violation } from './violation';

/** A process whose clock is wrong goes by PostgreSQL's, as exactly as one look at it can tell. */
const CLOCK_MARGIN_MS = 5_000;

type Fields = Record<string, unknown>;

/** Every field is stored and read back as it was sent, and the payload as the same text. */
export function checkFields(evidence: Evidence): Violation[] {
  const requests = Map.groupBy(
    entriesOf(evidence.journal, 'sent').flatMap((sent) => sent.names.map((name) => ({ name, sent }))),
    ({ name }) => name,
  );
  const stored = new Map(evidence.stored.map((event) => [event.name, event]));
  const endMs = evidence.startedMs + evidence.journal.reduce((last, { atMs }) => Math.max(last, atMs), 0);
  return [...evidence.readBack].flatMap(([name, read]) => {
    const planned = evidence.sent.get(name);
    if (!planned || read.httpStatus !== 200) return []; // reported by other rules
    const fields = JSON.parse(read.text) as Fields;
    const sendings = requests.get(name)?.map(({ sent }) => sent) ?? [];
    const lived = { fromMs: evidence.startedMs + (sendings[0]?.atMs ?? 0), toMs: endMs };
    return [
      ...differences(fields, planned).map((text) => violation('changed', `${name}: ${text}`, name)),
      ...originOf(fields, planned, sendings).map((text) => violation('changed', `${name}: ${text}`, name)),
      ...timesOf(fields, lived).map((text) => violation('changed', `${name}: ${text}`, name)),
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

/** The correlation id belongs to a request that carried the event. */
function originOf(fields: Fields, { expected }: PlannedEvent, sendings: readonly EntryOf<'sent'>[]): string[] {
  const own = expected.correlationId !== undefined;
  const from = sendings.some(({ request }) => fields.correlationId === correlationOf(request));
  return own || from ? [] : [`correlationId ${String(fields.correlationId)} belongs to no request with this event`];
}

const UUID_V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7/;

/** The time of receipt and that of the id lie between the first request with the event and the end of the run. */
function timesOf({ id, receivedAt }: Fields, { fromMs, toMs }: Span): string[] {
  const [, high, low] = UUID_V7.exec(String(id)) ?? [];
  const times = {
    'was received': Date.parse(String(receivedAt)),
    ...(high !== undefined && low !== undefined && { 'has an id of': Number.parseInt(high + low, 16) }),
  };
  const at = (ms: number): string => new Date(ms).toISOString();
  return Object.entries(times).flatMap(([what, ms]) => {
    if (ms < fromMs - CLOCK_MARGIN_MS) return [`${what} ${at(ms)}, before it was sent`];
    return ms > toMs + CLOCK_MARGIN_MS ? [`${what} ${at(ms)}, after the end of the run`] : [];
  });
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
