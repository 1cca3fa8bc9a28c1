/**
 * Generates events of about 600 bytes in ASCII. The same `run` and `n` give the same content. One note contains characters
 * that XML must escape.
 */
export interface EventSource {
  type: string;
  run: string;
}

export const NDJSON = 'application/x-ndjson';
export const XML = 'application/xml';

export const REJECTED_EVERY = 10;

const subjectOf = ({ run }: EventSource, n: number): string => `order-${run}-${n}`;

function payloadJson({ run }: EventSource, n: number): string {
  let items = '';
  for (let i = 0; i < 6; i++) {
    const note = i === 0 ? 'gift & card < 10 EUR' : 'as ordered';
    items += `${i ? ',' : ''}{"sku":"sku-${n}-${i}","quantity":${i + 1},"price":9.99,"note":"${note}"}`;
  }
  return `{"order":"${run}-${n}","total":59.94,"currency":"EUR","items":[${items}]}`;
}

export function eventJson(source: EventSource, n: number): string {
  return `{"eventType":"${source.type}","subject":"${subjectOf(source, n)}","payload":${payloadJson(source, n)}}`;
}

/** Events `from` to `from + count - 1`, one per line. */
export function ndjsonBody(source: EventSource, from: number, count: number): string {
  let lines = '';
  for (let n = from; n < from + count; n++) lines += `${eventJson(source, n)}\n`;
  return lines;
}

/** The same, with every tenth event rejected because it has no subject. */
export function ndjsonWithRejected(source: EventSource, from: number, count: number): string {
  let lines = '';
  for (let n = from; n < from + count; n++) {
    const isRejected = n % REJECTED_EVERY === REJECTED_EVERY - 1;
    lines += isRejected
      ? `{"eventType":"${source.type}","payload":${payloadJson(source, n)}}\n`
      : `${eventJson(source, n)}\n`;
  }
  return lines;
}

/** The same events as an XML document. The payload is JSON text, so that the content is the same too. */
export function xmlBody(source: EventSource, from: number, count: number): string {
  let events = '';
  for (let n = from; n < from + count; n++) {
    const payload = escapeXml(payloadJson(source, n));
    const subject = subjectOf(source, n);
    events += `<event><eventType>${source.type}</eventType><subject>${subject}</subject><payload>${payload}</payload></event>`;
  }
  return `<?xml version="1.0" encoding="UTF-8"?><events>${events}</events>`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
