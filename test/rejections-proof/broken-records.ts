/** How a record is made one that has to be rejected. Each takes a good record as JSON, or as an <event>. */
type Breaker = (good: string, maxBytes: number) => Buffer | string;

const DEEP = 70;
const nested = (good: string): string => `${'['.repeat(DEEP)}${good}${']'.repeat(DEEP)}`;
const large = (maxBytes: number): string => 'x'.repeat(maxBytes);

/** Valid JSON, so that they can be elements of an array. */
const INVALID_EVENTS: readonly Breaker[] = [
  (good) => `{"eventType":"broken","payload":${good}}`,
  (good) => `{"eventType":"broken","subject":{},"payload":${good}}`,
  (good) => `{"eventType":"broken","subject":"s","payload":{"\\u0000":${good}}}`,
  (good) => `{"eventType":"broken","subject":"s","payload":{"half":"\\ud83d","of":${good}}}`,
  (good) => `{"eventType":"broken","subject":"s","payload":${nested(good)}}`,
  (good, maxBytes) => `{"eventType":"broken","subject":"${large(maxBytes)}","payload":${good}}`,
];

const MALFORMED: readonly Breaker[] = [
  (good) => good.slice(0, good.length >> 1),
  (good) => `${good}}`,
  (good) => Buffer.concat([Buffer.from(good.slice(0, -1)), Buffer.from([0xff, 0xfe]), Buffer.from('}')]),
  (good) => `"${good.replaceAll(/[\\"]/g, '\\$&')}"`,
];

const INVALID_CLOUD_EVENTS: readonly Breaker[] = [
  (good) => `{"specversion":"1.0","type":"broken","data":${good}}`,
  (good) => `{"specversion":"2.0","id":"1","source":"/s","type":"broken","data":${good}}`,
  (good) => `{"specversion":"1.0","id":"1","source":"/s","type":"broken","data":{"\\u0000":${good}}}`,
  (good) => `{"specversion":"1.0","id":"1","source":"/s","type":"broken","data":${nested(good)}}`,
  (good, maxBytes) => `{"specversion":"1.0","id":"${large(maxBytes)}","source":"/s","type":"broken","data":${good}}`,
];

const INVALID_XML: readonly Breaker[] = [
  () => '<event/>',
  (good) => `<event type="broken">${good.slice(good.indexOf('<payload>'))}`,
  (good) => `<event type="broken" subject="&#xD;"><of><![CDATA[${good.replaceAll(']]>', '')}]]></of></event>`,
  () => '<event type="broken" subject="s"><payload>{"a":"\\u0000"}</payload></event>',
  (_, maxBytes) => `<event type="broken" subject="s"><payload>${large(maxBytes)}é</payload></event>`,
];

export const BREAKERS = {
  line: [...INVALID_EVENTS, ...MALFORMED],
  element: INVALID_EVENTS,
  'cloud-event': INVALID_CLOUD_EVENTS,
  xml: INVALID_XML,
} as const satisfies Record<string, readonly Breaker[]>;
