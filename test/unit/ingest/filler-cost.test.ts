import { FORMATS, type BodyFormat } from '../../../bench/filler/bodies';
import { readBody, type Reading } from '../../../bench/filler/reading';
import * as prepareRecords from '../../../src/ingest/formats/prepare-records';
import * as streamFormats from '../../../src/ingest/formats/stream-formats';
import * as contentDecoder from '../../../src/ingest/decoding/content-decoder';
import * as expansion from '../../../src/ingest/decoding/expansion';
import * as streamSource from '../../../src/ingest/stream/stream-source';

const STAGES = { ...contentDecoder, ...expansion, ...streamFormats, ...prepareRecords, ...streamSource };

const BYTES = 300_000;
/** Other load on the machine may spoil one comparison; filler that costs too much fails all of them. */
const TRIES = 40;
/** `npm run bench:filler` holds longer bodies to twice. The rest is noise: these are short. */
const MAX_RATIO = 2 * 1.75;
const MAX_HOLD_MS = 50;

/** `npm run bench:filler` measures longer bodies, and all encodings. */
describe.each(FORMATS)('the CPU time of $name', (format: BodyFormat) => {
  const useful = format.useful(BYTES);
  const read = (body: Buffer): Promise<Reading> => readBody(STAGES, format.mediaType, 'identity', body);
  /** Returns the lowest ratio to ordinary events and the shortest turn, as soon as both are within their limits. */
  const measure = async (
    body: Buffer,
    cost: (reading: Reading) => number,
    maxRatio: number,
  ): Promise<{ ratio: number; holdMs: number }> => {
    let ratio = Infinity;
    let holdMs = Infinity;
    for (let tries = 0; tries < TRIES && (ratio > maxRatio || holdMs > MAX_HOLD_MS); tries++) {
      const ordinary = await read(useful);
      const measured = await read(body);
      ratio = Math.min(ratio, cost(measured) / cost(ordinary));
      holdMs = Math.min(holdMs, measured.holdMs);
    }
    return { ratio, holdMs };
  };

  beforeAll(async () => {
    for (let warmUp = 0; warmUp < 5; warmUp++) await read(useful);
  });

  it.each(Object.entries(format.fillers))(
    `is at most ${MAX_RATIO} times that of ordinary events: %s`,
    async (_kind, body) => {
      const { ratio, holdMs } = await measure(body(BYTES), ({ nsPerByte }) => nsPerByte, MAX_RATIO);
      expect(ratio).toBeLessThanOrEqual(MAX_RATIO);
      expect(holdMs).toBeLessThan(MAX_HOLD_MS);
    },
  );

  it.each(Object.entries(format.unusual))('never holds the event loop for 50 ms: %s', async (_kind, body) => {
    const { holdMs } = await measure(body(BYTES), () => 1, 1);
    expect(holdMs).toBeLessThan(MAX_HOLD_MS);
  });

  it.each(Object.entries(format.refused))(
    'of a refused record is at most that of an event: %s',
    async (_kind, body) => {
      const { ratio, holdMs } = await measure(body(BYTES / 10), ({ nsPerRecord }) => nsPerRecord, 1);
      expect(ratio).toBeLessThanOrEqual(1);
      expect(holdMs).toBeLessThan(MAX_HOLD_MS);
    },
  );
});
