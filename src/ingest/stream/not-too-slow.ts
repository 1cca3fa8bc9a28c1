import { Problem } from '../../event/problems';
import type { RecordsInHand } from './records-in-hand';

/** Bytes are counted over spans of this length. The first one is free: a sender may take its time to begin. */
const SPAN_MS = 60_000;

/** What the stream has brought so far. */
export type Progress = Pick<RecordsInHand, 'waitedMs' | 'total'>;

/**
 * Passes a body on while it yields records or its sender keeps the minimum pace. A stream may last for hours, but one that
 * sends a byte now and then and no record only occupies memory. Only time spent waiting for the sender counts. Time in
 * which records are in hand does not, because the sender may be waiting for their results.
 * @param minBytesPerSecond of the body as sent; 0: no limit
 * @throws Problem `request-timeout`
 */
export async function* notTooSlow(
  body: AsyncGenerator<Buffer>,
  minBytesPerSecond: number,
  inHand: Progress,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  let spanMs = 0;
  let isFirst = true;
  let recordsBefore = inHand.total;
  try {
    for (;;) {
      const startMs = performance.now();
      const inHandBeforeMs = inHand.waitedMs;
      const next = await body.next();
      if (next.done) return;
      spanMs += Math.max(0, performance.now() - startMs - (inHand.waitedMs - inHandBeforeMs));
      bytes += next.value.length;
      if (spanMs >= SPAN_MS) {
        const isSlow = inHand.total === recordsBefore && bytes < (minBytesPerSecond * spanMs) / 1_000;
        if (!isFirst && isSlow) throw tooSlow(minBytesPerSecond, bytes, spanMs);
        isFirst = false;
        recordsBefore = inHand.total;
        bytes = 0;
        spanMs = 0;
      }
      yield next.value;
    }
  } finally {
    void body.return(undefined); // not awaited, since it may still wait for the sender
  }
}

function tooSlow(minBytesPerSecond: number, bytes: number, spanMs: number): Problem {
  const seconds = Math.round(spanMs / 1_000);
  return new Problem(
    'request-timeout',
    `The stream brought no record and ${bytes} bytes in ${seconds} s. After its first minute it must bring records, or ${minBytesPerSecond} bytes a second. Send the stream when there is more to send.`,
  );
}
