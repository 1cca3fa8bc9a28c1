import { hash } from 'node:crypto';
import { isKeptCode } from '../../src/rejections/kept-codes';
import { PROBLEM_CODES, type ProblemCode } from '../../src/event/problems';
import { bytesOf, type Outcome, type Sending, type ShownRejection } from './sending';

/** Figures of one request that add up to those of the proof. */
export interface Tally {
  sent: number;
  accepted: number;
  duplicates: number;
  /** Rejected, and found again. */
  kept: number;
  /** Rejected, and reported as not kept. */
  reported: number;
  /** Requests of unknown callers, and requests that can be sent again as they are. */
  turnedAway: number;
}

/** What of one request is wrong: each as a sentence. */
export interface Comparison {
  tally: Tally;
  faults: string[];
}

/** Compares what was sent with what its response says and with what was kept. */
export function compare(sending: Sending, outcome: Outcome, shown: readonly ShownRejection[]): Comparison {
  const faults: string[] = [];
  const ofTenant = outcome.rejected.filter(({ code }) => isOfTenant(code));
  const kept = ofTenant.filter((one) => one.kept);
  if (outcome.status >= 500) faults.push(`status ${outcome.status}`);
  const { records, accepted, duplicates, rejected } = outcome;
  if (records !== accepted + duplicates + rejected.length) {
    faults.push(`${records} records, but ${accepted} accepted, ${duplicates} duplicates, ${rejected.length} rejected`);
  }
  if (outcome.code !== undefined && isOfTenant(outcome.code) && isStreamCut(outcome) && !outcome.restIsNotKept) {
    faults.push('broke off without saying that the rest is not kept');
  }
  for (const { record, code } of kept) {
    if (!shown.some((one) => one.recordNumber === record && one.code === code))
      faults.push(`record ${record} is not kept`);
  }
  if (shown.length > ofTenant.length) faults.push(`${shown.length} rejections, but ${ofTenant.length} were refused`);
  faults.push(...expectedResults(sending, outcome), ...misquoted(sending, shown));
  const tally = { sent: records, accepted, duplicates, kept: kept.length, reported: ofTenant.length - kept.length };
  return { tally: { ...tally, turnedAway: rejected.length - ofTenant.length }, faults };
}

/** True for a stream that broke off after its first records. */
const isStreamCut = ({ rejected }: Outcome): boolean => rejected.every(({ record }) => record !== null);

const isProblemCode = (code: string): code is ProblemCode => (PROBLEM_CODES as readonly string[]).includes(code);
const isOfTenant = (code: string): boolean => isProblemCode(code) && isKeptCode(code);

/** Compares with what is known of the records beforehand. */
function expectedResults({ records }: Sending, outcome: Outcome): string[] {
  if (!records) return [];
  const isRejected = new Set(outcome.rejected.map(({ record }) => record ?? 1));
  const wrong = records.flatMap(({ isBroken }, i) =>
    isBroken === undefined || isBroken === isRejected.has(i + 1)
      ? []
      : [`record ${i + 1} should ${isBroken ? 'be rejected' : 'not be rejected'}`],
  );
  return outcome.records === records.length ? wrong : [`${outcome.records} of ${records.length} records`, ...wrong];
}

/** Each kept record must be found in the body: known ones at their number, others in the order in which they were sent. */
function misquoted({ records, body, decoded = body }: Sending, shown: readonly ShownRejection[]): string[] {
  let from = 0;
  const inOrder = [...shown].sort((a, b) => (a.recordNumber ?? 0) - (b.recordNumber ?? 0));
  return inOrder.flatMap((one) => {
    const known = records?.[(one.recordNumber ?? 1) - 1]?.bytes;
    const at = known
      ? isQuoted(known, 0, one) && known.length === one.sizeBytes
        ? 0
        : -1
      : quotedAt(decoded, from, one);
    if (at === -1) return [`rejection ${one.id} (record ${one.recordNumber}) does not have the bytes that were sent`];
    from = known ? 0 : at + one.sizeBytes;
    return [];
  });
}

function quotedAt(sent: Buffer, from: number, one: ShownRejection): number {
  const bytes = bytesOf(one);
  for (let at = sent.indexOf(bytes, from); at !== -1; at = sent.indexOf(bytes, at + 1)) {
    if (isQuoted(sent, at, one)) return at;
    if (bytes.length === 0) return -1;
  }
  return -1;
}

function isQuoted(sent: Buffer, at: number, one: ShownRejection): boolean {
  const whole = sent.subarray(at, at + one.sizeBytes);
  const bytes = bytesOf(one);
  const isWhole = one.truncated ? bytes.length < one.sizeBytes : bytes.length === one.sizeBytes;
  return isWhole && whole.subarray(0, bytes.length).equals(bytes) && hash('sha256', whole) === one.digest;
}
