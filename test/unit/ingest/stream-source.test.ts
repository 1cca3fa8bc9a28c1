import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { Problem } from '../../../src/event/problems';
import { contentDecoder } from '../../../src/ingest/decoding/content-decoder';
import { StreamSource } from '../../../src/ingest/stream/stream-source';
import { streamSource } from '../../support/stream-source';

async function read(source: StreamSource): Promise<string> {
  let text = '';
  for await (const chunk of source.chunks()) text += chunk.toString();
  return text;
}

describe('the source of a stream', () => {
  it('passes bytes on and counts them', async () => {
    const source = streamSource(['abc', 'def'], 6);
    await expect(read(source)).resolves.toBe('abcdef');
    expect(source).toMatchObject({ bytes: 6, isBroken: false });
  });

  it('passes on the bytes up to the limit, then breaks off', async () => {
    const source = streamSource(['abc', 'defg', 'h'], 6);
    await expect(read(source)).resolves.toBe('abcdef');
    expect(source.brokenBy).toMatchObject({ code: 'stream-too-large' });
  });

  it('breaks off when the body does not match its encoding', async () => {
    const limits = { STREAM_MAX_BYTES: 100, REQUEST_STALL_TIMEOUT_MS: 1_000 };
    const whole = gzipSync('hello');
    for (const bytes of [Buffer.from('no gzip'), whole.subarray(0, -4), Buffer.alloc(0)]) {
      const source = new StreamSource(Readable.from([bytes]), contentDecoder('gzip'), limits);
      await read(source);
      expect(source.brokenBy).toMatchObject({ code: 'malformed-body' });
    }
    await expect(read(new StreamSource(Readable.from([whole]), contentDecoder('gzip'), limits))).resolves.toBe('hello');
  });

  it('counts decompressed bytes, so that a decompression bomb ends at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    const limits = { STREAM_MAX_BYTES: 1_000, REQUEST_STALL_TIMEOUT_MS: 1_000 };
    const source = new StreamSource(Readable.from([bomb]), contentDecoder('gzip'), limits);
    await expect(read(source)).resolves.toHaveLength(1_000);
    expect(source.brokenBy).toMatchObject({ code: 'stream-too-large' });
  });

  it('counts encoded bytes, so that a stream that decodes to nothing ends too', async () => {
    const limits = { STREAM_MAX_BYTES: 1_000, REQUEST_STALL_TIMEOUT_MS: 1_000 };
    const empty = gzipSync('');
    const members = (count: number) =>
      Readable.from(
        (function* () {
          for (let i = 0; i < count; i++) yield empty;
        })(),
      );
    const within = new StreamSource(
      members(Math.floor((65_536 + 1_100) / empty.length)),
      contentDecoder('gzip'),
      limits,
    );
    await expect(read(within)).resolves.toBe('');
    expect(within.brokenBy).toBeUndefined();
    const source = new StreamSource(members(Infinity), contentDecoder('gzip'), limits);
    await expect(read(source)).resolves.toBe('');
    expect(source.brokenBy).toMatchObject({ code: 'stream-too-large' });
  });

  it('ends immediately when a stage breaks it off, even if the sender is silent', async () => {
    const silent = new Readable({ read: () => undefined });
    const source = new StreamSource(silent, undefined, { STREAM_MAX_BYTES: 10, REQUEST_STALL_TIMEOUT_MS: 600_000 });
    const reading = read(source);
    source.breakOff(new Problem('overloaded', 'for a test'));
    await expect(reading).resolves.toBe('');
  });
});
