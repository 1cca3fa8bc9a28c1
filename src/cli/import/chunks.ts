/** Some records of a file that are sent in one request. */
export interface FileChunk {
  /** Where it ends in the file. */
  end: number;
  /** Number of its first record in the file, from 1. */
  firstRecord: number;
  /** Blank lines do not count, as in the response. */
  records: number;
  bytes: Buffer<ArrayBuffer>;
}

const NEWLINE = 0x0a;
export const MOST_RECORDS = 1_000;
export const MOST_BYTES = 1024 * 1024;
/** A line that is longer is no record: the server would refuse it, and it would have to be held in memory. */
export const MOST_LINE_BYTES = 64 * 1024 * 1024;

/**
 * Cuts NDJSON into chunks of whole lines. Memory is bounded by a chunk and a line, whatever the size of the file.
 * @param start where the first byte is in the file, and how many records are before it
 * @throws RangeError when a line is longer than MOST_LINE_BYTES
 */
export async function* fileChunks(
  bytes: AsyncIterable<Buffer>,
  start: { offset: number; records: number },
): AsyncGenerator<FileChunk> {
  let { offset: end, records: before } = start;
  let lines: Buffer[] = [];
  let size = 0;
  let records = 0;
  const take = (): FileChunk => {
    const chunk = { end, firstRecord: before + 1, records, bytes: Buffer.concat(lines, size) };
    before += records;
    lines = [];
    size = 0;
    records = 0;
    return chunk;
  };
  for await (const line of linesOf(bytes)) {
    if (size > 0 && (records === MOST_RECORDS || size + line.length > MOST_BYTES)) yield take();
    lines.push(line);
    size += line.length;
    end += line.length;
    if (line.some((byte) => byte > 0x20)) records += 1;
  }
  if (size > 0) yield take();
}

/** Lines with their ends. The last one may have none. */
async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const part of bytes) {
    let from = 0;
    for (let at = part.indexOf(NEWLINE); at >= 0; at = part.indexOf(NEWLINE, from)) {
      yield Buffer.concat([...parts, part.subarray(from, at + 1)]);
      parts = [];
      size = 0;
      from = at + 1;
    }
    if (from < part.length) parts.push(part.subarray(from));
    size += part.length - from;
    if (size > MOST_LINE_BYTES) throw new RangeError(`a line is longer than ${MOST_LINE_BYTES} bytes`);
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}
