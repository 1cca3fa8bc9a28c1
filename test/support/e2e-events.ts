/** One event as a producer writes it. It has the text of its payload, so that a test can compare what is read back. */
export interface SyntheticEvent {
  eventId: string;
  type: string;
  payloadText: string;
  /** The event as JSON: one line of a stream, or the body of a single request. */
  line: string;
}

const TYPES = ['order.paid', 'order.refunded', 'stock.moved', 'user.signed-up'];

/** Payloads that are easily damaged: digits, order of names, escapes, depth, and names with a meaning in JavaScript. */
const PAYLOADS: ((n: number) => string)[] = [
  (n) => `{"amount":10.10,"no":${n}}`,
  (n) => `{"big":12345678901234567890,"no":${n}}`,
  (n) => `[1e400,-1e400,1E+2,1.0,${n}]`,
  (n) => `{"z":1,"a":2,"10":3,"9":4,"no":${n}}`,
  (n) => `{"text":"Grüße, 東京, مرحبا, 👩‍👩‍👧, e\u0301","no":${n}}`,
  (n) => `{"escaped":"\\u00e9\\n\\"\\\\\\/\\ud83d\\ude00","no":${n}}`,
  (n) => `{"__proto__":{"admin":true},"constructor":"x","no":${n}}`,
  (n) => `${'{"in":['.repeat(15)}${n}${']}'.repeat(15)}`,
  (n) => `{"items":[{"sku":"A-${n}","qty":3,"price":0.30},{"sku":"B","qty":-0,"price":1e-7}],"note":null}`,
  (n) => `{ "spaced" : [ 1 , 2.50 ] , "no" : ${n} }`,
  (n) => `"a plain text ${n}"`,
  () => 'null',
  (n) => `${n}.000`,
];

/** Returns the text of the n-th payload. Some of the forms do not contain n. */
export function syntheticPayload(n: number): string {
  return (PAYLOADS[n % PAYLOADS.length] as (n: number) => string)(n);
}

/** Creates `count` events. `run` makes them differ from those of other calls, in content too. */
export function syntheticEvents(count: number, run: string): SyntheticEvent[] {
  return Array.from({ length: count }, (_, i) => {
    const eventId = `${run}-${i}`;
    const type = TYPES[i % TYPES.length] as string;
    const payloadText = syntheticPayload(i);
    const line = `{"eventId":"${eventId}","eventType":"${type}","subject":"${run}-${i % 50}","occurredAt":"${at(i)}","payload":${payloadText}}`;
    return { eventId, type, payloadText, line };
  });
}

export function toNdjson(events: readonly { line: string }[]): string {
  return events.map(({ line }) => `${line}\n`).join('');
}

/** One second apart, so that no two events have the same content. */
function at(i: number): string {
  return new Date(Date.UTC(2026, 0, 1) + i * 1_000).toISOString();
}
