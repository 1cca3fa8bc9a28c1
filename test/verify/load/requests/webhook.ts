import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Exchange } from '../exchange';
import {
  isLater,
  nameOf,
  type PlannedRecord,
  type Reading,
  type Sending,
  type SummaryCounts,
  type Told,
} from '../sending';
import { SIGNATURES, type Signing } from '../webhooks/broken-webhook';
import type { PlannedSource } from '../webhooks/sources';

export interface PlannedWebhook {
  source: PlannedSource;
  records: readonly PlannedRecord[];
  signing: Signing;
  gzip: boolean;
}

/** Older than any tolerance. */
const OLD_SECONDS = 3_600;
const WRONG_SECRET = 'whsec_of_somebody_else';

/** A request as its provider sends it, signed now. */
export function webhookOf(webhook: PlannedWebhook): Sending {
  const { source, records, gzip, signing } = webhook;
  const texts = records.map(textOf);
  const body =
    source.kind === 'list' ? `{"sentBy":"verify","events":[\n${texts.join(',\n')}\n]}` : (texts[0] as string);
  return {
    kind: `webhook ${source.kind}${signing === 'right' ? '' : `, signature ${signing}`}`,
    path: `/in/${source.token}/hooks?kind=${source.kind}`,
    headers: {
      'content-type': 'application/json',
      ...(gzip ? { 'content-encoding': 'gzip' } : {}),
      ...signatureOf(body, webhook),
    },
    body: gzip ? gzipSync(body) : body,
    records,
    toSource: { id: source.id, body, records: texts },
    read: (answer) => (answer.status === 401 ? readRefusal(answer, webhook) : readAnswer(answer, webhook)),
  };
}

const textOf = (record: PlannedRecord): string => ('event' in record ? record.event.text : record.broken.text);

function signatureOf(body: string, { source, signing }: PlannedWebhook): Record<string, string> {
  if (signing === 'missing') return {};
  const nowMs = Date.now() - (signing === 'old' ? OLD_SECONDS * 1000 : 0);
  const secret = signing === 'wrong' ? WRONG_SECRET : source.secret;
  if (source.kind === 'list') {
    const signature = createHmac('sha512', secret).update(`${nowMs}|${body}`).digest('base64');
    return { 'x-time': String(nowMs), 'x-signature': signature };
  }
  const seconds = Math.floor(nowMs / 1000);
  const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return { 'stripe-signature': `t=${seconds},v1=${signature}` };
}

/** 401: nothing is stored. */
function readRefusal({ text }: Exchange, { records, signing }: PlannedWebhook): Reading {
  const { code, retryable } = JSON.parse(text) as { code: string; retryable: boolean };
  const told = records.map((record, i): Told => ({ record: i + 1, name: nameOf(record), outcome: 'unverified', code }));
  const next = code === SIGNATURES[signing] && !retryable ? 'done' : 'strange';
  return { next, told, result: 'unverified' };
}

interface Answered {
  status: 'accepted' | 'duplicate' | 'rejected';
  duplicate?: boolean;
  id?: string;
  eventId?: string;
  summary?: SummaryCounts & { filtered: number };
  errors?: { record?: number; code: string }[];
}

function readAnswer({ status = 0, text }: Exchange, webhook: PlannedWebhook): Reading {
  if (isLater(status)) return { next: 'again', told: [] };
  if (status !== 200) return { next: 'strange', told: [] };
  const answer = JSON.parse(text) as Answered;
  return webhook.source.kind === 'list' ? readList(answer, webhook) : readOne(answer, webhook);
}

function readOne({ status, duplicate, id, eventId, errors = [] }: Answered, { records }: PlannedWebhook): Reading {
  const [record] = records as [PlannedRecord];
  const one = { record: 1, name: nameOf(record), outcome: status };
  if (status === 'rejected') {
    const told = [{ ...one, code: errors[0]?.code ?? '' }];
    return { next: errors.length === 1 ? 'done' : 'strange', told, result: status };
  }
  const next = duplicate === (status === 'duplicate') ? 'done' : 'strange';
  return { next, told: [{ ...one, fields: { id, eventId } }], result: status };
}

function readList({ status, summary, errors = [] }: Answered, { records }: PlannedWebhook): Reading {
  if (!summary) return { next: 'strange', told: [] };
  const codes = new Map(errors.map(({ record, code }) => [record, code]));
  const told = records.map((record, i): Told => {
    const code = codes.get(i + 1);
    const one = { record: i + 1, name: nameOf(record) };
    return code === undefined ? { ...one, outcome: 'taken' } : { ...one, outcome: 'rejected', code };
  });
  const { filtered, ...counts } = summary;
  const expected = counts.rejected > 0 ? 'rejected' : counts.accepted > 0 ? 'accepted' : 'duplicate';
  const isRight = status === expected && filtered === 0 && counts.records === records.length;
  return { next: isRight ? 'done' : 'strange', told, summary: counts, result: status };
}
