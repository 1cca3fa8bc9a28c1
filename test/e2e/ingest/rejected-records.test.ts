import { hash } from 'node:crypto';
import { syntheticEvents } from '../../support/e2e-events';
import { call, postStream, type ProblemAnswer, type Summary } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { rejectionsOf } from '../../support/rejections';

const LIMIT = 2_048;
const NDJSON = { 'content-type': 'application/x-ndjson' };
const STREAM = { path: '/v1/ingest/stream', headers: NDJSON };

const cloudEvent = (line: string): string => {
  const { eventId, eventType, subject, payload } = JSON.parse(line) as Record<string, unknown>;
  return JSON.stringify({ specversion: '1.0', id: eventId, source: '/shop', type: eventType, subject, data: payload });
};
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const xmlEvent = (line: string): string => {
  const payload = /"payload":(.*)\}$/s.exec(line)?.[1] ?? '';
  const { eventId, eventType, subject } = JSON.parse(line) as Record<string, string>;
  return `<event eventId="${eventId}"><eventType>${eventType}</eventType>
    <subject>${subject}</subject>\r\n<payload>${escaped(payload)}</payload></event>`;
};

interface Way {
  path: string;
  headers: Record<string, string>;
  endpoint: string;
  format: string;
  record: (line: string) => string;
  /** Records that are refused, whatever they are in the other formats. */
  broken: string[];
  body: (records: string[]) => string;
}

const BROKEN_JSON = [
  ...['{"eventType":"x"', '[]', '7', 'null', '{"eventType":"x","subject":"s","payload":"\\u0000"}', '{"__proto__":1}'],
  ...['{"eventType":"x","subject":"s","payload":"\\ud800"}', `{"a":"${'é'.repeat(LIMIT)}"}`, '{"typ":"x","subject":1}'],
];
const WAYS: Record<string, Way> = {
  NDJSON: {
    ...{ path: '/v1/ingest/stream', headers: NDJSON, endpoint: 'stream', format: 'event' },
    record: (line) => line,
    broken: [...BROKEN_JSON, '\\x00\\xff', 'eventType,subject', '\t{ '],
    body: (records) => records.join('\r\n'),
  },
  'an array': {
    ...{ path: '/v1/events', headers: { 'content-type': 'application/json' }, endpoint: 'event', format: 'event' },
    record: (line) => line,
    broken: BROKEN_JSON.filter((text) => text.endsWith('}')),
    body: (records) => `[ ${records.join(' ,\n')} ]`,
  },
  'a batch of CloudEvents': {
    ...{ path: '/v1/events', headers: { 'content-type': 'application/cloudevents-batch+json' } },
    ...{ endpoint: 'event', format: 'cloudevent' },
    record: cloudEvent,
    broken: [...BROKEN_JSON.filter((text) => text.endsWith('}')), '{"specversion":"2.0","id":"1"}'],
    body: (records) => `[${records.join(',')}]`,
  },
  XML: {
    ...{ path: '/v1/ingest/stream', headers: { 'content-type': 'application/xml' }, endpoint: 'stream', format: 'xml' },
    record: xmlEvent,
    broken: [
      ...['<event/>', '<event><type>x</type><subject> </subject><p:é/></event>', '<event type="x">text</event>'],
      `<event><payload>${'é'.repeat(LIMIT)}</payload></event>`,
    ],
    body: (records) => `<?xml version="1.0"?>\n<events xmlns:p="urn:p">${records.join('\n')}</events>`,
  },
};

describe('records that are refused', () => {
  const running = useApp({ MAX_EVENT_BYTES: String(LIMIT) });

  const post = (tenant: string, { path, headers }: Pick<Way, 'path' | 'headers'>, body: string | Buffer, more = {}) =>
    call<{ summary: Summary & { kept?: false }; errors: { record: number; kept?: false }[] }>(`${running.url}${path}`, {
      method: 'POST',
      headers: { ...headers, 'x-tenant-id': tenant, ...more },
      body: Buffer.from(body),
    });

  it.each(Object.entries(WAYS))('of %s are kept byte for byte; all others are stored', async (name, way) => {
    const tenant = name.replaceAll(' ', '-');
    const good = syntheticEvents(way.broken.length * 6, tenant).map(({ line }) => way.record(line));
    const records = good.flatMap((one, i) => (i % 6 === 5 ? [one, way.broken[(i - 5) / 6] as string] : [one]));
    const { status, body } = await post(tenant, way, way.body(records), { 'idempotency-key': 'k' });
    expect(status).toBe(207);
    const { summary } = body;
    expect(summary).toMatchObject({ records: records.length, accepted: good.length, rejected: way.broken.length });
    expect(summary).not.toHaveProperty('kept');
    const kept = await rejectionsOf(running.pool, tenant);
    const expected = way.broken.map((text, i) => ({
      ...{ recordNumber: 7 * (i + 1), requestKey: `k#${7 * (i + 1)}`, endpoint: way.endpoint, format: way.format },
      ...{ contentType: way.headers['content-type'], sizeBytes: Buffer.byteLength(text), digest: hash('sha256', text) },
    }));
    expect(kept.sort((a, b) => (a.recordNumber ?? 0) - (b.recordNumber ?? 0))).toMatchObject(expected);
    expect(kept.map(({ body: bytes }) => bytes.toString('latin1'))).toEqual(
      way.broken.map((text) => Buffer.from(text).subarray(0, LIMIT).toString('latin1')),
    );
  });

  it('of XML are kept with the namespaces of the root that they refer to', async () => {
    const all = await rejectionsOf(running.pool, 'XML');
    const kept = all.find(({ body }) => body.includes('<p:'));
    expect(all.find(({ body }) => body.toString() === '<event/>')).toMatchObject({ requestJson: null });
    expect(JSON.parse(kept?.requestJson ?? '')).toMatchObject({
      ...{ method: 'POST', path: '/v1/ingest/stream', namespaces: { 'xmlns:p': 'urn:p' } },
    });
  });

  it('because they are in conflict are kept with the event that they are in conflict with', async () => {
    const line = (payload: number): string => `{"eventId":"one","type":"t","subject":"s","payload":${payload}}`;
    await post('conflict', STREAM, [1, 2, 1, 3].map(line).join('\n'));
    const { rows } = await running.pool.query<{ id: string }>("select id from events where tenant_id = 'conflict'");
    await expect(rejectionsOf(running.pool, 'conflict')).resolves.toMatchObject([
      {
        code: 'event-id-conflict',
        recordNumber: 2,
        conflictsWith: rows[0]?.id,
        eventType: 't',
        body: Buffer.from(line(2)),
      },
      { code: 'event-id-conflict', recordNumber: 4, conflictsWith: rows[0]?.id, body: Buffer.from(line(3)) },
    ]);
  });

  it('are reported with "kept": false while PostgreSQL does not store rejections; events are not held up', async () => {
    const locker = await running.pool.connect();
    try {
      await locker.query('begin; lock table rejections');
      const lines = syntheticEvents(3_000, 'locked').map(({ line }, i) => (i % 7 === 0 ? '{' : line));
      const { body } = await post('locked', STREAM, lines.join('\n'));
      expect(body.summary).toMatchObject({ records: 3_000, accepted: 2_571, rejected: 429, kept: false });
      expect(body.errors[0]).toMatchObject({ record: 1, kept: false });
      const answer = await fetch(`${running.url}${STREAM.path}`, {
        method: 'POST',
        headers: { ...STREAM.headers, 'x-tenant-id': 'locked', accept: 'application/x-ndjson' },
        body: '{\n',
      });
      const [first, last] = (await answer.text())
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text) as unknown);
      expect(first).toMatchObject({ record: 1, status: 'rejected', code: 'malformed-body', kept: false });
      expect(last).toMatchObject({ summary: { rejected: 1, kept: false } });
    } finally {
      await locker.query('rollback');
      locker.release();
    }
  });

  it('and a stream that breaks off: the problem says that the rest is not kept', async () => {
    const answer = await postStream<ProblemAnswer & { kept?: false }>(
      running.url,
      'broken',
      '<events><event type="t" subject="s"><payload>1</payload></event><event></events>',
      { 'content-type': 'application/xml' },
    );
    expect(answer.body).toMatchObject({ code: 'malformed-body', kept: false, summary: { accepted: 1, rejected: 0 } });
    expect((answer.body as unknown as { summary: object }).summary).not.toHaveProperty('kept');
  });
});
