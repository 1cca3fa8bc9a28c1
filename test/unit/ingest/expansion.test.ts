import { randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { contentDecoder } from '../../../src/ingest/decoding/content-decoder';
import type { Decode } from '../../../src/ingest/decoding/decode-body';
import { Expansion } from '../../../src/ingest/decoding/expansion';
import { RecordsInHand } from '../../../src/ingest/stream/records-in-hand';

const MEGABYTE = 1_048_576;
const MAX_EVENT_BYTES = 262_144;
/** What a decompressor gives at a time, at most. */
const PART_BYTES = 131_072;

const CODINGS: [string, string, (bytes: Buffer) => Buffer][] = [
  ['gzip', 'gzip', gzipSync],
  ['deflate', 'deflate', deflateSync],
  ['raw deflate', 'deflate', deflateRawSync],
  ['br', 'br', brotliCompressSync],
  ['zstd', 'zstd', zstdCompressSync],
];

async function* inChunks(bytes: Buffer, size = 65_536): AsyncGenerator<Buffer> {
  await Promise.resolve();
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Returns how many bytes were decoded before the end or the problem. */
async function decode(
  expansion: Expansion,
  coding: string,
  encoded: Buffer,
  onPart: (part: Buffer) => void = () => undefined,
): Promise<{ bytes: number; problem?: unknown }> {
  let bytes = 0;
  try {
    for await (const part of expansion.bound(contentDecoder(coding) as Decode)(inChunks(encoded))) {
      bytes += part.length;
      onPart(part);
    }
    return { bytes };
  } catch (problem) {
    return { bytes, problem };
  }
}

describe.each(CODINGS)('a body in %s', (_name, coding, encode) => {
  const filler = encode(Buffer.alloc(16 * MEGABYTE, '\n'));

  it('that expands to more than 200 times its size and yields no event ends after a megabyte', async () => {
    const { bytes, problem } = await decode(new Expansion(MAX_EVENT_BYTES), coding, filler);
    expect(problem).toMatchObject({ code: 'expansion-too-large', status: 413 });
    expect(bytes).toBeGreaterThan(MEGABYTE - PART_BYTES);
    expect(bytes).toBeLessThanOrEqual(MEGABYTE);
  });

  it('may expand as much as it likes while events are accepted', async () => {
    const expansion = new Expansion(MAX_EVENT_BYTES);
    const { bytes, problem } = await decode(expansion, coding, filler, () => expansion.accepted());
    expect([bytes, problem]).toEqual([16 * MEGABYTE, undefined]);
  });

  it('ends a megabyte after its last accepted event', async () => {
    const expansion = new Expansion(MAX_EVENT_BYTES);
    let decoded = 0;
    const { bytes, problem } = await decode(expansion, coding, filler, (part) => {
      decoded += part.length;
      if (decoded < 3 * MEGABYTE) expansion.accepted();
    });
    expect(problem).toMatchObject({ code: 'expansion-too-large' });
    expect(bytes).toBeLessThanOrEqual(4 * MEGABYTE);
  });

  it('may be of any length without events when it does not expand', async () => {
    const random = encode(randomBytes(3 * MEGABYTE));
    expect(await decode(new Expansion(MAX_EVENT_BYTES), coding, random)).toEqual({ bytes: 3 * MEGABYTE });
  });
});

describe('a body that expands', () => {
  const filler = gzipSync(Buffer.alloc(4 * MEGABYTE));
  const limited = { problem: expect.objectContaining({ code: 'expansion-too-large' }) as unknown };

  it('may name different events that are stored already, as a stream that is sent again does', async () => {
    const expansion = new Expansion(MAX_EVENT_BYTES);
    const again = await decode(expansion, 'gzip', filler, () => expansion.duplicate(uuidV7()));
    expect(again).toEqual({ bytes: 4 * MEGABYTE });
  });

  it('may not name the same event for ever', async () => {
    const expansion = new Expansion(MAX_EVENT_BYTES);
    const id = uuidV7();
    expect(await decode(expansion, 'gzip', filler, () => expansion.duplicate(id))).toMatchObject(limited);
  });

  it('may name as many different events as it has: most of them count', () => {
    const expansion = new Expansion(MAX_EVENT_BYTES);
    let counted = 0;
    jest.spyOn(expansion, 'accepted').mockImplementation(() => void (counted += 1));
    for (let n = 0; n < 200_000; n++) expansion.duplicate(uuidV7());
    expect(counted).toBeGreaterThan(150_000);
  });

  it('ends soon when it consists of short records that are rejected', async () => {
    const records = brotliCompressSync(Buffer.alloc(4 * MEGABYTE, 'a\n'));
    const expansion = new Expansion(MAX_EVENT_BYTES);
    const inHand = new RecordsInHand();
    expansion.whenDecided = () => inHand.none();
    let rejected = 0;
    const decoded = await decode(expansion, 'br', records, (part) => {
      inHand.found();
      setTimeout(() => {
        for (let n = 0; n < part.length / 2; n++) expansion.rejected();
        rejected += part.length / 2;
        inHand.settled();
      }, 5);
    });
    expect(decoded).toMatchObject(limited);
    expect(rejected).toBeLessThanOrEqual(1_024 + 8_192 / 2);
  });

  it('may not hide rejected records behind bytes that do not compress', async () => {
    // Each letter stands beside noise, so that the whole expands to 100 times its size.
    const noise = randomBytes(5_000);
    const letters = Buffer.alloc(500_000, 'a\n');
    const body = deflateSync(Buffer.concat(Array.from({ length: 8 }, () => [noise, letters]).flat()));
    const expansion = new Expansion(MAX_EVENT_BYTES);
    let rejected = 0;
    const decoded = await decode(expansion, 'deflate', body, (part) => {
      for (let n = 0; n < part.length / 2; n++) expansion.rejected();
      rejected += part.length / 2;
    });
    expect(decoded).toMatchObject(limited);
    expect(rejected).toBeLessThan(200_000);
  });

  it('decides more at a time while events are accepted, and little once a record is rejected', async () => {
    const decisionsWhile = async (decide: (expansion: Expansion) => void): Promise<number> => {
      const expansion = new Expansion(MAX_EVENT_BYTES);
      let decisions = 0;
      expansion.whenDecided = () => Promise.resolve(void (decisions += 1));
      const { bytes } = await decode(expansion, 'zstd', zstdCompressSync(Buffer.alloc(4 * MEGABYTE, 'x')), () =>
        decide(expansion),
      );
      expect(bytes).toBe(4 * MEGABYTE);
      return decisions;
    };
    expect(await decisionsWhile((expansion) => expansion.accepted())).toBeLessThan(20);
    const mixed = decisionsWhile((expansion) => {
      expansion.rejected();
      expansion.accepted();
    });
    expect(await mixed).toBeGreaterThan(400);
  });

  it('may have rejected records beside accepted ones', async () => {
    const expansion = new Expansion(MAX_EVENT_BYTES);
    const decoded = await decode(expansion, 'gzip', filler, () => {
      for (let n = 0; n < 900; n++) expansion.rejected();
      expansion.accepted();
    });
    expect(decoded).toEqual({ bytes: 4 * MEGABYTE });
  });

  it('may hold an event of the largest size', async () => {
    expect(await decode(new Expansion(4 * MEGABYTE), 'gzip', filler)).toEqual({ bytes: 4 * MEGABYTE });
  });

  it('is judged when the results of its records are known', async () => {
    const inHand = new RecordsInHand();
    const expansion = new Expansion(MAX_EVENT_BYTES);
    expansion.whenDecided = () => inHand.none();
    let waits = 0;
    const decoded = await decode(expansion, 'gzip', filler, () => {
      inHand.found();
      setTimeout(() => {
        waits += 1;
        expansion.accepted();
        inHand.settled();
      }, 5);
    });
    expect(decoded).toEqual({ bytes: 4 * MEGABYTE });
    expect(waits).toBeGreaterThan(10);
  });

  it('is judged at once when its stream has broken off', async () => {
    const inHand = new RecordsInHand();
    const expansion = new Expansion(MAX_EVENT_BYTES);
    expansion.whenDecided = () => inHand.none();
    inHand.found();
    setTimeout(() => inHand.giveUp(), 20);
    expect(await decode(expansion, 'gzip', filler)).toMatchObject(limited);
  });
});
