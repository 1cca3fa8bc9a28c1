import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { randomBytes } from 'node:crypto';
import type { Decode } from '../../../src/ingest/decoding/decode-body';
import { Decoders } from '../../../src/ingest/decoding/decoders';
import { Metrics } from '../../../src/observability/metrics';
import { BufferBudget } from '../../../src/runtime/buffer-budget';
import { testSettings } from '../../support/app';

const MEGABYTE = 1_048_576;
const TEXT = gzipSync('some text');

describe('the decompressors of a process', () => {
  let buffers: BufferBudget;
  let metrics: Metrics;
  let decoders: Decoders;
  const start = (max: number, bytes = 256 * MEGABYTE): void => {
    buffers = new BufferBudget(bytes);
    metrics = new Metrics();
    decoders = new Decoders(testSettings({ MAX_DECOMPRESSORS: String(max) }), buffers, metrics);
  };
  const decoding = (encoded: Buffer, header = 'gzip', tenant = 'acme'): AsyncGenerator<Buffer> =>
    (decoders.decoder(header, tenant) as Decode)(inOneChunk(encoded));
  async function* inOneChunk(bytes: Buffer): AsyncGenerator<Buffer> {
    await Promise.resolve();
    yield bytes;
  }
  async function readAll(decoded: AsyncGenerator<Buffer>): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of decoded) parts.push(part);
    return Buffer.concat(parts);
  }
  const open = async (): Promise<number | undefined> => (await metrics.decompressorsOpen.get()).values[0]?.value;

  afterEach(async () => {
    jest.useRealTimers();
    expect([await open(), buffers.heldBytes]).toEqual([0, 0]); // however a body ended
  });

  it('are at most MAX_DECOMPRESSORS; the next body waits until one has ended', async () => {
    start(2);
    const [a, b] = [decoding(TEXT), decoding(TEXT, 'gzip', 'b')];
    await Promise.all([a.next(), b.next()]);
    expect(await open()).toBe(2);
    let isRead = false;
    const third = readAll(decoding(TEXT, 'gzip', 'c')).then((text) => {
      isRead = true;
      return text.toString();
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(isRead).toBe(false);
    await a.return(undefined);
    await expect(third).resolves.toBe('some text');
    await b.return(undefined);
  });

  it('are at most half of them for one tenant', async () => {
    start(4);
    const two = [decoding(TEXT), decoding(TEXT)];
    await Promise.all(two.map((one) => one.next()));
    await expect(decoding(TEXT).next()).rejects.toMatchObject({ code: 'overloaded' });
    expect(await readAll(decoding(TEXT, 'gzip', 'other'))).toHaveLength(9);
    for (const one of two) await one.return(undefined);
    expect(await readAll(decoding(TEXT))).toHaveLength(9);
  });

  it('are not waited for longer than 5 s', async () => {
    start(1);
    const first = decoding(TEXT);
    await first.next();
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    let hasEnded = false;
    const late = decoding(TEXT, 'gzip', 'other')
      .next()
      .catch((error: unknown) => error)
      .finally(() => (hasEnded = true));
    await jest.advanceTimersByTimeAsync(4_999);
    expect(hasEnded).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(await late).toMatchObject({ code: 'overloaded', extras: { retryAfterSeconds: 5 } });
    jest.useRealTimers();
    await first.return(undefined);
    expect(await readAll(decoding(TEXT))).toHaveLength(9); // who gave up is not handed the place
  });

  it.each<[string, (decoded: AsyncGenerator<Buffer>) => Promise<unknown>, Buffer]>([
    ['the end', readAll, TEXT],
    ['an error', (decoded) => readAll(decoded).catch(() => undefined), Buffer.from('no gzip')],
    ['a truncated body', (decoded) => readAll(decoded).catch(() => undefined), TEXT.subarray(0, -5)],
    ['a reader that stops', (decoded) => decoded.next().then(() => decoded.return(undefined)), TEXT],
    ['a reader that fails', (decoded) => decoded.next().then(() => decoded.throw(new Error('x')).catch(() => 0)), TEXT],
    ['a reader that never began', (decoded) => decoded.return(undefined), TEXT],
  ])('are released at %s', async (_when, use, body) => {
    start(1);
    for (let n = 0; n < 5; n++) await use(decoding(body));
  });

  it.each([
    ['br', 4, brotliCompressSync], // the default of its encoder
    ['zstd', 8, zstdCompressSync],
  ])('count as much memory as their window holds: %s', async (header, megabytes, encode) => {
    start(10);
    const body = encode(randomBytes(20 * MEGABYTE));
    let most = 0;
    for await (const part of decoding(body, header)) {
      if (part.length > 0) most = Math.max(most, buffers.heldBytes);
    }
    expect(most).toBe(megabytes * MEGABYTE);
    const small = decoding(encode(Buffer.from('x')), header);
    await small.next();
    expect(buffers.heldBytes).toBe(1);
    await small.return(undefined);
  });

  it('are refused when there is no memory for them', async () => {
    start(10, 16 * MEGABYTE); // of which a tenant may have half
    const params = { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_QUALITY]: 2 };
    const body = brotliCompressSync(randomBytes(9 * MEGABYTE), { params });
    await expect(readAll(decoding(body, 'br'))).rejects.toMatchObject({ code: 'overloaded' });
    expect(await readAll(decoding(gzipSync(randomBytes(9 * MEGABYTE))))).toHaveLength(9 * MEGABYTE);
  });
});
