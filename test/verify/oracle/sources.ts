import type { Evidence } from '../evidence/evidence';
import { correlationOf } from '../load/sender';
import { entriesOf, type EntryOf } from '../run/journal';
import { violation, type Violation } from './violation';

/** What came through a source belongs to it and is kept as it was signed. */
export function checkSources(evidence: Evidence): Violation[] {
  const webhooks = new Map(webhooksIn(evidence).map((webhook) => [correlationOf(webhook.request), webhook]));
  return [
    ...evidence.stored.flatMap((event) => checkOrigin(event, evidence, webhooks)),
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
