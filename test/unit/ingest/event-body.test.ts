import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { parseSettings } from '../../../src/config/parse-settings';
import { contentDecoder } from '../../../src/ingest/decoding/content-decoder';
import { readEventBody, type EventsBody } from '../../../src/ingest/event-body';

const DECODERS = { decoder: contentDecoder };
const SETTINGS = { ...parseSettings({}), MAX_EVENT_BYTES: 100_000, REQUEST_STALL_TIMEOUT_MS: 1_000 };
/** A deflate block without data. */
const EMPTY_BLOCK = Buffer.from([0, 0, 0, 0xff, 0xff]);

const requestOf = (body: Readable, encoding: string): FastifyRequest =>
  ({ body, headers: { 'content-encoding': encoding }, mediaType: 'application/json' }) as unknown as FastifyRequest;

describe('an encoded body of POST /v1/events', () => {
  it('that decodes to nothing for ever ends early', async () => {
    let sent = 0;
    const endless = new Readable({
      read() {
        sent += 5_000;
        setImmediate(() => this.push(Buffer.concat(Array<Buffer>(1_000).fill(EMPTY_BLOCK))));
      },
    });
    await expect(readEventBody(requestOf(endless, 'deflate'), SETTINGS, DECODERS)).resolves.toMatchObject({
      problem: { code: 'event-too-large', detail: 'The encoded body is larger than the maximum of 201024 bytes.' },
      decodedBytes: 0,
    });
    expect(sent).toBeLessThan(1_000_000);
    endless.destroy();
  });

  it('that trickles in ends, as one that is not encoded', async () => {
    const trickle = new PassThrough();
    const bytes = gzipSync(JSON.stringify({ a: 'x'.repeat(1_000) }));
    let at = 0;
    const timer = setInterval(() => trickle.write(bytes.subarray(at, ++at)), 5);
    const reading = readEventBody(requestOf(trickle, 'gzip'), { ...SETTINGS, REQUEST_STALL_TIMEOUT_MS: 20 }, DECODERS);
    await expect(reading).resolves.toMatchObject({ problem: { code: 'request-timeout' } });
    clearInterval(timer);
  });

  it('that breaks off is known by what was decoded of it', async () => {
    const body = Readable.from([gzipSync('x'.repeat(90_000)).subarray(0, -4)]);
    await expect(readEventBody(requestOf(body, 'gzip'), SETTINGS, DECODERS)).resolves.toMatchObject({
      problem: { code: 'malformed-body', extras: { members: { kept: false } } },
      decodedBytes: 90_000,
    });
  });

  it('that is an array has no limit but those of a stream', async () => {
    const array = `[${Array.from({ length: 200_000 }, (_, i) => Math.sin(i)).join(',')}]`;
    const encoded = gzipSync(array);
    expect(encoded.length).toBeGreaterThan(1_000_000);
    const chunks = Array.from({ length: encoded.length / 10_000 + 1 }, (_, i) =>
      encoded.subarray(i * 10_000, (i + 1) * 10_000),
    );
    const events = await readEventBody(requestOf(Readable.from(chunks), 'gzip'), SETTINGS, DECODERS);
    expect(await text((events as EventsBody).body)).toBe(array);
  });
});
