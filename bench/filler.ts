/**
 * npm run bench:filler [-- --megabytes 2 --rounds 3 --formats NDJSON,XML --encodings none,gzip --amplification]
 *
 * Measures what filler costs: bytes that a client may send in any number and that carry nothing, such as empty lines,
 * comments or empty elements. Each kind of filler is read in each format and encoding, up to the prepared events; nothing
 * is stored. Prints the CPU time of a byte, as a ratio to a byte of ordinary events in the same format and encoding, and
 * the longest turn of the event loop. Then sends 64 MB of each kind of filler encoded, as little as the encoding makes of
 * it, and prints what such a body costs before it is refused. Ends with exit code 1 if a byte of filler costs more than
 * twice a useful byte, a refused record more than an accepted one, a turn takes more than 50 ms, or a small body more
 * than 200 ms.
 */
import '../src/runtime/require-node.js';
import '../scripts/print-help.mjs';
import { parseArgs } from 'node:util';
import { command } from '#bench/cleanup';
import { compiled } from '#bench/compiled';
import { FORMATS, type BodyFormat } from '#bench/filler/bodies';
import { ENCODERS, readBody, type Reading, type Stages } from '#bench/filler/reading';
import { positive } from '#bench/options';

const MAX_RATIO = 2;
const MAX_HOLD_MS = 50;
const MEGABYTE = 1_000_000;
/** A small body that expands. */
const EXPANDED_BYTES = 64 * MEGABYTE;
const MAX_SMALL_BODY_MS = 200;

const STAGES = {
  ...compiled<object>('ingest/decoding/content-decoder'),
  ...compiled<object>('ingest/decoding/expansion'),
  ...compiled<object>('ingest/formats/stream-formats'),
  ...compiled<object>('ingest/formats/prepare-records'),
  ...compiled<object>('ingest/stream/stream-source'),
} as Stages;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Options {
  bytes: number;
  rounds: number;
}

/** Returns the best of several rounds: other load on the machine can only add time. */
async function best(format: BodyFormat, encoding: string, body: Buffer, rounds: number): Promise<Reading> {
  const encode = ENCODERS[encoding] as (body: Buffer) => Buffer;
  const encoded = encode(body);
  const header = encoding === 'none' ? 'identity' : encoding;
  const readings: Reading[] = [];
  for (let round = 0; round < rounds; round++) {
    readings.push(await readBody(STAGES, format.mediaType, header, encoded));
  }
  const least = (of: (reading: Reading) => number): number => Math.min(...readings.map(of));
  return {
    nsPerByte: least(({ nsPerByte }) => nsPerByte),
    nsPerRecord: least(({ nsPerRecord }) => nsPerRecord),
    holdMs: least(({ holdMs }) => holdMs),
    records: readings[0]?.records ?? 0,
    bytes: readings[0]?.bytes ?? 0,
    endedBy: readings[0]?.endedBy,
  };
}

/** Returns the number of measurements that are over a limit. */
async function measure(format: BodyFormat, encoding: string, { bytes, rounds }: Options): Promise<number> {
  const useful = await best(format, encoding, format.useful(bytes), rounds + 1);
  say(`\n${format.name}, encoding ${encoding}: ${useful.nsPerByte.toFixed(1)} ns for a byte of ordinary events`);
  let over = 0;
  const show = (name: string, ratio: number, unit: string, limit: number, { holdMs }: Reading): void => {
    const isOver = ratio > limit || holdMs > MAX_HOLD_MS;
    if (isOver) over += 1;
    say(
      `  ${name.padEnd(36)} ${ratio.toFixed(2)} of ${unit}, turn of ${holdMs.toFixed(1)} ms${isOver ? '  OVER' : ''}`,
    );
  };
  for (const [name, body] of Object.entries(format.fillers)) {
    const reading = await best(format, encoding, body(bytes), rounds);
    show(name, reading.nsPerByte / useful.nsPerByte, 'a byte', MAX_RATIO, reading);
  }
  for (const [name, body] of Object.entries(format.unusual)) {
    const reading = await best(format, encoding, body(bytes), rounds);
    show(name, reading.nsPerByte / useful.nsPerByte, 'a byte', Infinity, reading);
  }
  for (const [name, body] of Object.entries(format.refused)) {
    const reading = await best(format, encoding, body(bytes / 10), rounds);
    show(`refused: ${name}`, reading.nsPerRecord / useful.nsPerRecord, 'a record', 1, reading);
  }
  return over;
}

/** Sends filler that expands, within the limit of expansion. Returns the number of bodies that cost too much. */
async function amplify(format: BodyFormat, encoding: string): Promise<number> {
  if (encoding === 'none') return 0;
  say(`\n${format.name}, encoding ${encoding}: ${EXPANDED_BYTES / MEGABYTE} MB of filler`);
  const encode = ENCODERS[encoding] as (body: Buffer) => Buffer;
  let over = 0;
  for (const [name, body] of Object.entries(format.fillers)) {
    const encoded = encode(body(EXPANDED_BYTES));
    const { nsPerByte, bytes, holdMs, endedBy } = await readBody(STAGES, format.mediaType, encoding, encoded, true);
    const cpuMs = (nsPerByte * bytes) / 1e6;
    const isSmall = encoded.length * 200 < EXPANDED_BYTES;
    const isOver = isSmall && (cpuMs > MAX_SMALL_BODY_MS || holdMs > MAX_HOLD_MS);
    if (isOver) over += 1;
    const size = `${encoded.length} bytes, ${(bytes / MEGABYTE).toFixed(1)} MB read`;
    say(
      `  ${name.padEnd(36)} ${size}, ${cpuMs.toFixed(0)} ms, ${endedBy ?? 'read to its end'}${isOver ? '  OVER' : ''}`,
    );
  }
  return over;
}

/** Returns the names in a comma-separated option; all of them without it. */
function chosen(option: string, known: readonly string[], text: string | undefined): readonly string[] {
  const names = text?.split(',') ?? known;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${option} must be a comma-separated list of ${known.join(', ')}`);
  return names;
}

await command(async () => {
  const { values } = parseArgs({
    options: {
      megabytes: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '3' },
      formats: { type: 'string' },
      encodings: { type: 'string' },
      amplification: { type: 'boolean', default: false },
    },
  });
  const options = {
    bytes: positive('--megabytes', values.megabytes) * MEGABYTE,
    rounds: positive('--rounds', values.rounds),
  };
  const formats = chosen(
    '--formats',
    FORMATS.map(({ name }) => name),
    values.formats,
  );
  const encodings = chosen('--encodings', Object.keys(ENCODERS), values.encodings);
  let over = 0;
  for (const format of FORMATS.filter(({ name }) => formats.includes(name))) {
    for (const encoding of encodings) {
      if (!values.amplification) over += await measure(format, encoding, options);
      over += await amplify(format, encoding);
    }
  }
  say(over === 0 ? '\nEverything is within the limits.' : `\n${over} measurements are over a limit.`);
  return over === 0 ? 0 : 1;
});
