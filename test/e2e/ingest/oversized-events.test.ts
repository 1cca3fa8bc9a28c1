import { hash } from 'node:crypto';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { bodyOfRaw, call, type ProblemAnswer } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { rejectionsOf } from '../../support/rejections';

const LIMIT = 4_096;
const MOST = 16 * LIMIT;
const JSON_TYPE = { 'content-type': 'application/json' };
const BINARY = {
  'content-type': 'text/plain',
  'ce-specversion': '1.0',
  'ce-id': '1',
  'ce-source': '/s',
  'ce-type': 'sale',
};

/** An event of so many bytes. */
function eventOf(bytes: number): Buffer {
  const [start, end] = ['{"eventType":"sale","subject":"é","payload":"', '"}'];
  const fill = bytes - Buffer.byteLength(start + end);
  return Buffer.from(`${start}${Array.from({ length: fill }, (_, i) => i % 10).join('')}${end}`);
}

describe('an event that is larger than MAX_EVENT_BYTES', () => {
  const running = useApp({ MAX_EVENT_BYTES: String(LIMIT), REQUEST_STALL_TIMEOUT_MS: '1000' });
  const limited = useApp({ MAX_EVENT_BYTES: String(LIMIT), TENANT_RATE_LIMIT_BYTES_PER_MINUTE: String(5 * LIMIT) });

  const send = (
    tenant: string,
    body: Buffer | Readable,
    headers: Record<string, string>,
    agent?: Agent,
    url?: string,
  ) =>
    call<ProblemAnswer & { kept?: boolean }>(`${url ?? running.url}/v1/events`, {
      method: 'POST',
      headers: {
        ...(Buffer.isBuffer(body) ? { 'content-length': String(body.length) } : {}),
        ...{ 'x-tenant-id': tenant, connection: agent ? 'keep-alive' : 'close', ...headers },
      },
      body,
      agent,
    });
  /** In HTTP chunks of so many bytes. */
  const inChunks = (body: Buffer, bytes: number): Readable =>
    Readable.from(
      Array.from({ length: Math.ceil(body.length / bytes) }, (_, i) => body.subarray(i * bytes, (i + 1) * bytes)),
    );

  it.each<[string, Record<string, string>, (body: Buffer) => Buffer | Readable]>([
    ['of a known length', JSON_TYPE, (body) => body],
    ['of an unknown length', JSON_TYPE, (body) => inChunks(body, 10_000)],
    ['that dribbles', JSON_TYPE, (body) => inChunks(body, 13)],
    ['in gzip', { ...JSON_TYPE, 'content-encoding': 'gzip' }, (body) => gzipSync(body)],
    [
      'in Brotli that dribbles',
      { ...JSON_TYPE, 'content-encoding': 'br' },
      (body) => inChunks(brotliCompressSync(body), 1),
    ],
    ['as a CloudEvent', { 'content-type': 'application/cloudevents+json' }, (body) => inChunks(body, 1_000)],
    ['as the data of a CloudEvent', BINARY, (body) => body],
  ])('is kept by its beginning, its size and its digest: %s', async (name, headers, encoded) => {
    const tenant = name.replaceAll(' ', '-');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const bytes of [LIMIT + 1, MOST]) {
      const answer = await send(tenant, encoded(eventOf(bytes)), headers, agent);
      expect(answer.body).toMatchObject({ status: 413, code: 'event-too-large' });
      expect(answer.body).not.toHaveProperty('kept');
      expect(answer.headers.connection).toBe('keep-alive');
    }
    agent.destroy();
    const kept = await rejectionsOf(running.pool, tenant);
    expect(kept.map(({ sizeBytes, digest, body, code }) => [sizeBytes, digest, body.toString('latin1'), code])).toEqual(
      [LIMIT + 1, MOST].map((bytes) => {
        const body = eventOf(bytes);
        return [bytes, hash('sha256', body), body.subarray(0, LIMIT).toString('latin1'), 'event-too-large'];
      }),
    );
    expect(new Set(kept.map(({ eventType }) => eventType))).toEqual(new Set([headers === BINARY ? 'sale' : null]));
  });

  it.each<[string, Record<string, string>, (body: Buffer) => Buffer | Readable]>([
    ['of a known length', JSON_TYPE, (body) => body],
    ['of an unknown length', JSON_TYPE, (body) => inChunks(body, 10_000)],
    ['in gzip', { ...JSON_TYPE, 'content-encoding': 'gzip' }, (body) => gzipSync(body)],
  ])(
    'is not kept when it is more than 16 times as large, and its response says so: %s',
    async (name, headers, encoded) => {
      const tenant = `far-${name.replaceAll(' ', '-')}`;
      const { body } = await send(tenant, encoded(eventOf(MOST + 1)), headers);
      expect(body).toMatchObject({ status: 413, code: 'event-too-large', kept: false });
      await expect(rejectionsOf(running.pool, tenant)).resolves.toEqual([]);
    },
  );

  it('is not kept when the rest of it cannot be decoded, and its response says so', async () => {
    const body = gzipSync(eventOf(MOST), { level: 0 });
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    body[body.length - 8] = 255 - (body[body.length - 8] as number); // the checksum at the end
    expect((await send('broken', body, headers)).body).toMatchObject({ code: 'event-too-large', kept: false });
  });

  it('is not kept when it stalls, and its response says so', async () => {
    const { hostname, port } = new URL(running.url);
    const head = [
      'POST /v1/events HTTP/1.1',
      'Host: localhost',
      'X-Tenant-Id: stalls',
      'Content-Type: application/json',
    ];
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      let received = '';
      socket.on('data', (data: Buffer) => (received += data.toString())).on('error', reject);
      socket.on('close', () => resolve(received));
      socket.write([...head, `Content-Length: ${2 * LIMIT}`, '', '{'].join('\r\n'));
      void sleep(100).then(() => socket.write('"a'));
    });
    expect(bodyOfRaw<ProblemAnswer>(answer)).toMatchObject({ code: 'event-too-large', kept: false });
  });

  it('is charged to its tenant, and kept as far as the limit of bytes allows', async () => {
    const url = limited.url;
    const first = await send('paid', eventOf(3 * LIMIT), JSON_TYPE, undefined, url);
    expect(first.body).not.toHaveProperty('kept');
    const second = await send('paid', eventOf(3 * LIMIT), JSON_TYPE, undefined, url);
    expect(second.body).toMatchObject({ code: 'event-too-large', kept: false });
    await expect(rejectionsOf(limited.pool, 'paid')).resolves.toHaveLength(1);
    expect(await send('paid', eventOf(100), JSON_TYPE, undefined, url)).toMatchObject({ status: 429 });
  });

  it('is not read for a caller who is refused', async () => {
    const { status, body } = await send('-', eventOf(2 * LIMIT), JSON_TYPE);
    expect([status, body.code]).toEqual([400, 'tenant-invalid']);
  });
});
