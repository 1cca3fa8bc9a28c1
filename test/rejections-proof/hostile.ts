import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Sending } from './sending';

const TENANT = { 'x-tenant-id': 'hostile' };
const JSON_TYPE = { ...TENANT, 'content-type': 'application/json' };
const NDJSON = { ...TENANT, 'content-type': 'application/x-ndjson' };
const XML = { ...TENANT, 'content-type': 'application/xml' };
const GZIP = { 'content-encoding': 'gzip' };
const GOOD = '{"eventType":"sale","subject":"s","payload":1}';

const payload = (text: string): string => `{"eventType":"sale","subject":"s","payload":${text}}`;
/** Bodies of one event, each hostile in another way. */
const EVENTS: readonly (string | Buffer)[] = [
  ...['', ' \n\t', '\ufeff', '\ufeff{', 'null', '7', '"text"', 'NaN', '{', '{"a":1,}', `${GOOD}${GOOD}`, `${GOOD} //`],
  ...[payload('01'), payload('1e99999'), payload('-'), payload("'x'"), payload('"\t"'), payload('"\\x41"')],
  ...[payload('"\\ud800"'), payload('"\\u0000"'), payload('{"a":1,"a":2}'), payload('{"__proto__":{"x":1}}')],
  ...[payload('['.repeat(100_000)), payload(`${'['.repeat(65)}${']'.repeat(65)}`), payload('{"":{"":{"":1}}}')],
  ...['{"eventType":7,"subject":"s","payload":1}', '{"eventType":"a b\\u0007","subject":"s","payload":1}'],
  Buffer.from('7b22c3287d', 'hex'),
  Buffer.from('eda080', 'hex'),
  Buffer.from(GOOD, 'utf16le'),
  Buffer.from([0x1f, 0x8b, 0x08, 0x00]),
];

/** Bodies of streams. Some break off. */
const LINES: readonly (string | Buffer)[] = [
  ...[
    '',
    '\n\n\r\n',
    '\r',
    `${GOOD}\r${GOOD}`,
    `[${GOOD},\n${GOOD}]`,
    `{\n"eventType":"sale"\n}`,
    `${GOOD}\u2028${GOOD}`,
  ],
  Buffer.concat([Buffer.from(`${GOOD}\n`), Buffer.from([0xff, 0x0a]), Buffer.from(GOOD)]),
  Buffer.from(`\ufeff${GOOD}\n\ufeff${GOOD}\n\0\n`),
  'x'.repeat(300_000),
];

const DOCUMENTS: readonly string[] = [
  ...['', '<', '<events/>', '<events></other>', '<events><event></events>', '<a/><b/>', '<events>text</events>'],
  ...['<!DOCTYPE a [<!ENTITY x "y">]><a><event>&x;</event></a>', '<a><event>&unknown;</event></a>', '\0<a/>'],
  ...[`<a>${'<event type="t" subject="s"><payload>'.repeat(80)}`, '<a><event x="1" x="2"/></a>', '<a><p:event/></a>'],
  ...['<a><event type="t" subject="s"><payload>1</payload></event><event/><event></a>', '<?xml version="1.1"?><a/>'],
  ...['<a><event type="t">]]></event></a>', '<a><event type="t" subject="&#0;"/></a>', '<a><!-- -- --></a>'],
];

const sending = (name: string, path: string, headers: Record<string, string>, body: string | Buffer): Sending => ({
  ...{ name, path, headers },
  body: Buffer.from(body),
});
const encoded = (name: string, encoding: string, body: Buffer, decoded: Buffer | undefined): Sending => ({
  ...{ name, path: '/v1/events', headers: { ...JSON_TYPE, 'content-encoding': encoding }, body, decoded },
});

/** Requests that try to break the server, or the accounting of what they hold. */
export function hostileSendings(): Sending[] {
  const blanks = Buffer.alloc(20_000_000, ' ');
  const good = Buffer.from(payload('10.10'));
  return [
    ...EVENTS.map((body, i) => sending(`hostile event ${i}`, '/v1/events', JSON_TYPE, body)),
    ...EVENTS.map((body, i) => sending(`hostile CloudEvent ${i}`, '/v1/events', cloudEvents(), body)),
    ...LINES.map((body, i) => sending(`hostile lines ${i}`, '/v1/ingest/stream', NDJSON, body)),
    ...DOCUMENTS.map((body, i) => sending(`hostile document ${i}`, '/v1/ingest/stream', XML, body)),
    encoded('half of a gzip', 'gzip', gzipSync(good).subarray(0, 20), undefined),
    encoded('no gzip at all', 'gzip', good, undefined),
    encoded('gzip in gzip', 'gzip', gzipSync(gzipSync(good)), gzipSync(good)),
    encoded('a bomb in gzip', 'gzip', gzipSync(blanks), blanks),
    encoded('a bomb in Brotli', 'br', brotliCompressSync(blanks.subarray(0, 1_000_000)), blanks.subarray(0, 1_000_000)),
    encoded('an invalid event in deflate', 'deflate', deflateSync('{"a":1}'), Buffer.from('{"a":1}')),
    encoded('an unknown encoding', 'rot13', good, undefined),
    sending('a key that is too long', '/v1/events', { ...JSON_TYPE, 'idempotency-key': 'k'.repeat(300) }, GOOD),
    sending('a media type that is not accepted', '/v1/events', { ...TENANT, 'content-type': 'text/html' }, GOOD),
    sending('XML as an event', '/v1/events', XML, '<a/>'),
    sending(
      'gzipped lines that break off',
      '/v1/ingest/stream',
      { ...NDJSON, ...GZIP },
      gzipSync(`${GOOD}\n{\n`).subarray(0, 40),
    ),
    sending('no tenant', '/v1/events', { 'content-type': 'application/json' }, '{'),
  ];
}

const cloudEvents = (): Record<string, string> => ({ ...TENANT, 'content-type': 'application/cloudevents+json' });
