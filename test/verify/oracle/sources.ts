import { hash } from 'node:crypto';
import type { Evidence, StoredRejection } from '../evidence/evidence';
import { MOST_EVENT_BYTES } from '../load/broken-record';
import { correlationOf } from '../load/client';
import { entriesOf, type EntryOf } from '../run/journal';
import { violation, type Violation } from './violation';

/**
 * What came through a source belongs to it and is kept as it was signed. Each rejected record is kept with its bytes,
 * and nothing else is.
 */
export function checkSources(evidence: Evidence): Violation[] {
  const webhooks = new Map(webhooksIn(evidence).map((webhook) => [correlationOf(webhook.request), webhook]));
  return [
    ...evidence.stored.flatMap((event) => checkOrigin(event, evidence, webhooks)),
    ...checkKept(evidence, webhooks),
    ...evidence.rejections
      .filter(({ sourceId, correlationId }) => sourceId !== null || webhooks.has(correlationId))
      .flatMap((rejection) => checkRejection(rejection, webhooks)),
    ...checkPaused(evidence, webhooks),
  ];
}

type Webhook = EntryOf<'sent'> & { toSource: NonNullable<EntryOf<'sent'>['toSource']> };
type Webhooks = ReadonlyMap<string, Webhook>;

function webhooksIn({ journal }: Evidence): Webhook[] {
  return entriesOf(journal, 'sent').filter((sent): sent is Webhook => sent.toSource !== undefined);
}

/** The request that is kept with an event is one that carried the event, with all of its bytes. */
function checkOrigin(
  { name, sourceId, rawBody, correlationId }: Evidence['stored'][number],
  { sent }: Evidence,
  webhooks: Webhooks,
): Violation[] {
  const expected = sent.get(name)?.expected.sourceId;
  if ((sourceId ?? undefined) !== expected) {
    return [violation('changed', `${name} is stored with the source ${sourceId}, not ${expected ?? 'none'}`, name)];
  }
  if (expected === undefined) return [];
  const webhook = webhooks.get(correlationId);
  if (!webhook?.names.includes(name)) {
    return [violation('changed', `${name} came with ${correlationId}, a request that does not carry it`, name)];
  }
  if (rawBody === webhook.toSource.body) return [];
  const text = `${name}: its request was sent as ${webhook.toSource.body}, and is kept as ${rawBody ?? 'nothing'}`;
  return [violation('changed', text, name)];
}

/** A record that was answered as rejected is kept once. */
function checkKept({ journal, rejections }: Evidence, webhooks: Webhooks): Violation[] {
  const kept = Map.groupBy(rejections, placeOf);
  const twice = [...kept].filter(([, all]) => all.length > 1);
  const answers = entriesOf(journal, 'answered').flatMap(({ request, told }) => {
    const webhook = webhooks.get(correlationOf(request));
    return webhook ? told.map((one) => ({ ...one, webhook })) : [];
  });
  const missing = answers.filter(
    ({ outcome, record, webhook }) => outcome === 'rejected' && !kept.has(placeIn(webhook, record)),
  );
  return [
    ...twice.map(([place, all]) => violation('rejection', `${place} is kept as ${all.length} rejections`)),
    ...missing.map(({ name, webhook }) =>
      violation('rejection', `${name} was rejected in request ${webhook.request}, and is not kept`, name),
    ),
  ];
}

/** A rejection is that of a broken record of a verified request, with its code and its bytes. */
function checkRejection(rejection: StoredRejection, webhooks: Webhooks): Violation[] {
  const place = placeOf(rejection);
  const webhook = webhooks.get(rejection.correlationId);
  const index = (rejection.recordNumber ?? 1) - 1;
  const expected = webhook?.codes[index] ?? null;
  const name = webhook?.names[index] ?? '';
  if (!webhook || expected === null || expected.startsWith('signature-')) {
    return [violation('rejection', `${place} is kept as ${rejection.code}, and was not to be kept`, name)];
  }
  const bytes = Buffer.from(webhook.toSource.records[index] as string);
  const wrong = [
    ...(rejection.code === expected ? [] : [`code ${rejection.code}, not ${expected}`]),
    ...(rejection.sourceId === webhook.toSource.id ? [] : [`source ${rejection.sourceId}`]),
    ...(rejection.sizeBytes === bytes.length ? [] : [`a size of ${rejection.sizeBytes} bytes, not ${bytes.length}`]),
    ...(rejection.digest === hash('sha256', bytes, 'hex') ? [] : ['the digest of something else']),
    ...(rejection.body === bytes.subarray(0, MOST_EVENT_BYTES).toString() ? [] : [`the bytes ${rejection.body}`]),
  ];
  return wrong.map((text) => violation('rejection', `${name} (${place}) is kept with ${text}`, name));
}

/** A paused source takes nothing from when the change is answered until it is made active. */
function checkPaused({ journal }: Evidence, webhooks: Webhooks): Violation[] {
  const switches = entriesOf(journal, 'operator').filter(({ action }) => action === 'source.switch');
  const spans = switches.flatMap(({ request, status, body, atMs }, i) => {
    if (request.status !== 'paused' || status !== 200) return [];
    return [{ id: String(body?.id), fromMs: atMs, toMs: switches[i + 1]?.sentMs ?? Infinity }];
  });
  return entriesOf(journal, 'answered').flatMap(({ request, result, atMs }) => {
    const webhook = webhooks.get(correlationOf(request));
    if (!webhook || result === undefined) return [];
    const span = spans.find(
      ({ id, fromMs, toMs }) => id === webhook.toSource.id && fromMs < webhook.atMs && atMs < toMs,
    );
    if (!span) return [];
    const text = `request ${request} was ${result}, and its source ${span.id} was paused`;
    return [violation('operator', text, ...webhook.names)];
  });
}

const placeOf = ({ correlationId, recordNumber }: StoredRejection): string =>
  `record ${recordNumber ?? 1} of ${correlationId}`;
const placeIn = ({ request }: Webhook, record: number): string => `record ${record} of ${correlationOf(request)}`;
