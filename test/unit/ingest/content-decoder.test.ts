import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { Problem } from '../../../src/event/problems';
import { CONTENT_ENCODINGS, contentDecoder } from '../../../src/ingest/decoding/content-decoder';

const TEXT = Buffer.from('{"text":"東京 👩‍👩‍👧"}\n'.repeat(2_000));
const ENCODED: [string, Buffer][] = [
  ['gzip', gzipSync(TEXT)],
  ['deflate', deflateSync(TEXT)],
  ['deflate', deflateRawSync(TEXT)],
  ['br', brotliCompressSync(TEXT)],
  ['zstd', zstdCompressSync(TEXT)],
  ['zstd', zstdCompressSync(TEXT, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })],
];
const SKIPPABLE = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

/** Decodes the chunks. Returns what was decoded, and the detail of the problem, if there is one. */
async function decode(encoding: string, ...chunks: Buffer[]): Promise<{ bytes: Buffer; detail?: string }> {
  const decoded: Buffer[] = [];
  const encoded = (async function* () {
    for (const chunk of chunks) yield await Promise.resolve(chunk);
  })();
  try {
    for await (const part of contentDecoder(encoding)?.(encoded) ?? encoded) decoded.push(part);
  } catch (error) {
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({ code: 'malformed-body' });
    return { bytes: Buffer.concat(decoded), detail: (error as Problem).detail };
  }
  return { bytes: Buffer.concat(decoded) };
}
/** Comparing large buffers with toEqual takes seconds. */
function expectDecoded({ bytes, detail }: { bytes: Buffer; detail?: string }, expected: Buffer): void {
  expect(detail).toBeUndefined();
  expect(bytes.equals(expected)).toBe(true);
}
const bytewise = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));

it('supports the encodings of the contract', () => {
  expect(CONTENT_ENCODINGS.toSorted()).toEqual(['br', 'deflate', 'gzip', 'zstd']);
});

describe.each(ENCODED)('%s', (encoding, encoded) => {
  it('is decoded, however the bytes are split', async () => {
    expectDecoded(await decode(encoding, encoded), TEXT);
    expectDecoded(await decode(encoding, ...bytewise(encoded)), TEXT);
    expectDecoded(await decode(encoding, Buffer.alloc(0), encoded, Buffer.alloc(0)), TEXT);
  });

  it('is refused for other input', async () => {
    const others = ENCODED.filter(([name]) => name !== encoding);
    for (const bytes of [TEXT, ...others.map(([, other]) => other)]) {
      expect((await decode(encoding, bytes)).detail).toContain(encoding);
      expect((await decode(encoding, ...bytewise(bytes))).detail).toContain(encoding);
    }
  });

  it('is refused when it is truncated, with the number of bytes that came', async () => {
    for (const end of [0, 1, 2, Math.floor(encoded.length / 2), encoded.length - 1]) {
      const detail = `The ${encoding} data of the body is incomplete. It ends after ${end} bytes.`;
      expect((await decode(encoding, encoded.subarray(0, end))).detail).toBe(detail);
      expect((await decode(encoding, ...bytewise(encoded.subarray(0, end)))).detail).toBe(detail);
    }
  });

  it.each(['x', '{"text":"lost"}\n', '\n', '\0\0x'])('is refused when %j follows it', async (rubbish) => {
    const bytes = Buffer.concat([encoded, Buffer.from(rubbish)]);
    for (const chunks of [[bytes], bytewise(bytes), [encoded, Buffer.from(rubbish)]]) {
      const { detail } = await decode(encoding, ...chunks);
      expect(detail).toContain(encoding);
      // zlib reads the members of gzip by itself, and does not say where the next one starts
      if (encoding !== 'gzip') expect(detail).toContain(String(encoded.length));
    }
  });

  it('yields what it decoded before the place where it breaks', async () => {
    const { bytes, detail } = await decode(encoding, encoded, Buffer.from('x'));
    expect(detail).toBeDefined();
    expect(bytes.equals(TEXT)).toBe(true);
  });

  it('is recognised in upper case and beside identity', async () => {
    const upper = encoding.toUpperCase();
    for (const name of [upper, `${upper}, identity`, `identity,${encoding}`, ` ${encoding} , Identity,, `]) {
      expectDecoded(await decode(name, encoded), TEXT);
    }
  });
});

describe('gzip', () => {
  const member = gzipSync(TEXT);

  it('may consist of several members', async () => {
    const bytes = Buffer.concat([member, gzipSync(''), member]);
    for (const chunks of [[bytes], bytewise(bytes), [member, gzipSync(''), member]]) {
      expectDecoded(await decode('gzip', ...chunks), Buffer.concat([TEXT, TEXT]));
    }
  });

  it('may be padded with zeros, which only zeros follow', async () => {
    const padded = Buffer.concat([member, Buffer.alloc(10_000)]);
    for (const chunks of [[padded], bytewise(padded), [member, Buffer.alloc(10_000)]]) {
      expectDecoded(await decode('gzip', ...chunks), TEXT);
    }
    const detail = `The gzip data of the body ends, but other data follows at byte ${padded.length}.`;
    const more = Buffer.concat([padded, member]);
    for (const chunks of [[more], bytewise(more)]) expect((await decode('gzip', ...chunks)).detail).toBe(detail);
  });

  it('is also called x-gzip', async () => expectDecoded(await decode('X-Gzip', member), TEXT));

  it('is refused for a flipped bit', async () => {
    const flipped = Buffer.from(member);
    flipped.writeUInt8(flipped.readUInt8(flipped.length - 5) ^ 1, flipped.length - 5);
    expect((await decode('gzip', flipped)).detail).toMatch(/gzip between its bytes 0 and \d+: incorrect data check/);
  });
});

describe.each(['deflate', 'br'])('%s', (encoding) => {
  it('consists of one stream', async () => {
    const encoded = ENCODED.find(([name]) => name === encoding)?.[1] as Buffer;
    const { detail } = await decode(encoding, Buffer.concat([encoded, encoded]));
    expect(detail).toBe(`The ${encoding} data of the body ends, but other data follows at byte ${encoded.length}.`);
  });
});

describe('zstd', () => {
  const frame = zstdCompressSync(TEXT);

  it('is refused when it demands a window of more than 8 MiB, however little follows', async () => {
    const withWindow = (log: number) => {
      const header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (log - 10) << 3];
      return Buffer.from([...header, 0x09, 0x00, 0x00, 0x78]); // one block, which is the last one, with an x
    };
    expectDecoded(await decode('zstd', withWindow(23)), Buffer.from('x'));
    for (const log of [24, 27]) expect((await decode('zstd', withWindow(log))).detail).toContain('zstd');
  });

  it('may consist of any frames in any chunks, skippable and empty ones too', async () => {
    const frames: [Buffer, Buffer][] = [
      ...ENCODED.filter(([name]) => name === 'zstd').map(([, bytes]): [Buffer, Buffer] => [bytes, TEXT]),
      [zstdCompressSync('x'), Buffer.from('x')],
      [zstdCompressSync(Buffer.alloc(1_000, 'x')), Buffer.alloc(1_000, 'x')], // a run-length block
      [zstdCompressSync(''), Buffer.alloc(0)],
      [SKIPPABLE, Buffer.alloc(0)],
      [Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]), Buffer.alloc(0)],
    ];
    const some = fc.array(fc.constantFrom(...frames), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(some, fc.array(fc.nat(500), { maxLength: 20 }), async (chosen, cuts) => {
        const bytes = Buffer.concat(chosen.map(([encoded]) => encoded));
        const ends = [...cuts.map((cut) => cut % bytes.length), bytes.length].toSorted((a, b) => a - b);
        const chunks = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
        expectDecoded(await decode('zstd', ...chunks), Buffer.concat(chosen.map(([, text]) => text)));
      }),
    );
  });

  it('is refused when a frame is truncated after complete ones, or when something else is between them', async () => {
    const cut = Buffer.concat([frame, SKIPPABLE, frame.subarray(0, -1)]);
    expect((await decode('zstd', cut)).detail).toContain(`ends after ${cut.length} bytes`);
    const cutSkippable = Buffer.concat([frame, SKIPPABLE.subarray(0, -1)]);
    expect((await decode('zstd', cutSkippable)).detail).toContain(`ends after ${cutSkippable.length} bytes`);
    const mixed = Buffer.concat([frame, Buffer.alloc(4), frame]);
    expect((await decode('zstd', mixed)).detail).toContain(`at byte ${frame.length}: no frame starts`);
  });

  it('may have a frame for each record, but not a million of frames with nothing in them', async () => {
    const record = zstdCompressSync(Buffer.alloc(100, 'x'));
    const { bytes, detail } = await decode('zstd', Buffer.concat(Array.from({ length: 5_000 }, () => record)));
    expect([bytes.length, detail]).toEqual([500_000, undefined]);
    for (const empty of [zstdCompressSync(''), SKIPPABLE]) {
      const many = Buffer.concat(Array.from({ length: 1_001 }, () => empty));
      expect((await decode('zstd', many)).detail).toContain(`1000 frames`);
      expect((await decode('zstd', many.subarray(empty.length))).detail).toBeUndefined();
    }
  });
});

it('stops reading the body when its reader stops', async () => {
  let hasStopped = false;
  const endless = (async function* () {
    try {
      for (;;) yield await Promise.resolve(gzipSync(TEXT));
    } finally {
      hasStopped = true;
    }
  })();
  for await (const part of contentDecoder('gzip')?.(endless) ?? []) if (part.length > 0) break;
  expect(hasStopped).toBe(true);
});

it.each([undefined, 'identity', 'Identity', 'identity, identity', ',identity'])(
  'decodes nothing for %s',
  (encoding) => {
    expect(contentDecoder(encoding)).toBeUndefined();
  },
);

it.each(['', ',', 'compress', 'gzip, br', 'gzip,gzip', 'gzip br', 'gzip;q=1', 'constructor', '__proto__', 'toString'])(
  'rejects the encoding %j',
  (encoding) => {
    const refused = expect.objectContaining({ code: 'unsupported-content-encoding', status: 415 }) as Error;
    expect(() => contentDecoder(encoding)).toThrow(refused);
  },
);
