import { brotliCompressSync, constants } from 'node:zlib';
import { brotliWindow, Window } from '../../../src/ingest/decoding/window';

describe('the window of a Brotli body', () => {
  it.each([10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24])('is read from its first byte: 2^%i', (bits) => {
    const params = { [constants.BROTLI_PARAM_LGWIN]: bits, [constants.BROTLI_PARAM_QUALITY]: 5 };
    const encoded = brotliCompressSync(Buffer.from('x'.repeat(100).concat(String(Math.PI)).repeat(400)), { params });
    expect(brotliWindow(encoded[0] as number)).toBe(1 << bits);
  });

  it('is the largest one until then', async () => {
    const window = new Window('br');
    expect(window.bytes).toBe(1 << 24);
    const sent = (async function* () {
      yield* [Buffer.alloc(0), Buffer.from([0b0000_1011]), Buffer.from([0])];
    })();
    const passedOn = [];
    for await (const part of window.seen(sent)) passedOn.push(part.length);
    expect([window.bytes, passedOn]).toEqual([1 << 22, [0, 1, 1]]);
  });

  it('is that of the coding for others', () => {
    expect(['gzip', 'deflate', 'zstd', undefined].map((coding) => new Window(coding).bytes)).toEqual([
      32_768, 32_768, 8_388_608, 32_768,
    ]);
  });
});
