import { hash } from 'node:crypto';
import type { Evidence, StoredRejection } from '../evidence/evidence';
import { MOST_EVENT_BYTES } from '../load/broken-record';
import { correlationOf } from '../load/sender';
import { entriesOf, type EntryOf } from '../run/journal';
import { violation, type Violation } from './violation';

/** What is kept of a request to a source, whatever MAX_EVENT_BYTES is. */
const MOST_SOURCE_BYTES = 1_048_576;

/** Each rejected record is kept once with its bytes, unless its response says that it is not kept. Nothing else is kept. */
export function checkKeptRejections(evidence: Evidence): Violation[] {
  const requests = new Map(entriesOf(evidence.journal, 'sent').map((sent) => [correlationOf(sent.request), sent]));
  return [
    ...checkKept(evidence, requests),
    ...evidence.rejections.flatMap((rejection) => checkRejection(rejection, requests)),
  ];
}

type Sent = EntryOf<'sent'>;

function checkKept({ journal, rejections }: Evidence, requests: ReadonlyMap<string, Sent>): Violation[] {
  const kept = Map.groupBy(rejections, placeOf);
  const twice = [...kept].filter(([, all]) => all.length > 1);
  const missing = entriesOf(journal, 'answered').flatMap(({ request, told }) => {
    const correlationId = correlationOf(request);
    if (!requests.has(correlationId)) return [];
    return told.flatMap(({ outcome, record, name, kept: isKept }) => {
      const lost = outcome === 'rejected' && isKept !== false && !kept.has(placeIn(correlationId, record));
      return lost ? [{ name, request }] : [];
    });
  });
  return [
    ...twice.map(([place, all]) => violation('rejection', `${place} is kept as ${all.length} rejections`)),
    ...missing.map(({ name, request }) =>
      violation('rejection', `${name} was rejected in request ${request}, and is not kept`, name),
    ),
  ];
}

/** A rejection is that of a broken record of a verified request, with its code and its bytes. */
function checkRejection(rejection: StoredRejection, requests: ReadonlyMap<string, Sent>): Violation[] {
  const place = placeOf(rejection);
  const sent = requests.get(rejection.correlationId);
  const index = (rejection.recordNumber ?? 1) - 1;
  const expected = sent?.codes[index] ?? null;
  const name = sent?.names[index] ?? '';
  if (!sent || expected === null || expected.startsWith('signature-')) {
    return [violation('rejection', `${place} is kept as ${rejection.code}, and was not to be kept`, name)];
  }
  const source = sent.toSource?.id ?? null;
  const bytes = Buffer.from(sent.toSource?.records[index] ?? sent.refused?.[index] ?? '');
  const wrong = [
    ...(rejection.code === expected ? [] : [`code ${rejection.code}, not ${expected}`]),
    ...(rejection.sourceId === source ? [] : [`source ${rejection.sourceId}`]),
    ...(rejection.sizeBytes === bytes.length ? [] : [`a size of ${rejection.sizeBytes} bytes, not ${bytes.length}`]),
    ...(rejection.digest === hash('sha256', bytes, 'hex') ? [] : ['the digest of something else']),
    ...(rejection.body === keptOf(rejection, bytes, sent) ? [] : [`the bytes ${rejection.body}`]),
  ];
  return wrong.map((text) => violation('rejection', `${name} (${place}) is kept with ${text}`, name));
}

/** What is kept of a rejection: nothing, once an erasure has removed it. */
const keptOf = ({ isErased }: StoredRejection, bytes: Buffer, sent: Sent): string =>
  isErased ? '' : beginningOf(bytes, sent);

const beginningOf = (bytes: Buffer, { toSource }: Sent): string =>
  bytes.subarray(0, toSource ? MOST_SOURCE_BYTES : MOST_EVENT_BYTES).toString();

const placeOf = ({ correlationId, recordNumber }: StoredRejection): string => placeIn(correlationId, recordNumber ?? 1);
const placeIn = (correlationId: string, record: number): string => `record ${record} of ${correlationId}`;
