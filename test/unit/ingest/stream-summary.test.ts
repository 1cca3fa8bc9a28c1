import type { IngestResult } from '../../../src/ingest/store/store-batch';
import { committedFacts } from '../../../src/ingest/store/store-batch';
import { StreamSummary } from '../../../src/ingest/stream/stream-summary';
import { prepared } from '../../support/events';

const committed = committedFacts(prepared(), null);
const ACCEPTED: IngestResult = { kind: 'accepted', committed };
const DUPLICATE: IngestResult = { kind: 'duplicate', of: committed, by: 'key', layer: 'cache' };
const REJECTED: IngestResult = {
  kind: 'rejected',
  rejection: {
    code: 'invalid-event',
    message: '/occurredAt must exist ',
    errors: [{ pointer: '/occurredAt', code: 'invalid-event', message: 'must exist' }],
  },
};

function summaryOf(...results: IngestResult[]): StreamSummary {
  const summary = new StreamSummary();
  results.forEach((result, i) => summary.add(i + 1, result, true));
  return summary;
}

describe('the summary of a stream', () => {
  it('has the members of the contract', () => {
    expect(summaryOf(ACCEPTED, DUPLICATE, REJECTED).toBody(812, 'c-1')).toEqual({
      status: 'partial',
      summary: { records: 3, accepted: 1, duplicates: 1, rejected: 1, bytes: 812 },
      errors: [{ record: 3, code: 'invalid-event', message: '/occurredAt must exist', pointer: '/occurredAt' }],
      errorsTruncated: false,
      correlationId: 'c-1',
    });
  });

  it.each([
    ['an empty stream', 'accepted', []],
    ['accepted records', 'accepted', [ACCEPTED, ACCEPTED]],
    ['duplicates only', 'accepted', [DUPLICATE]],
    ['some rejected records', 'partial', [REJECTED, DUPLICATE]],
    ['rejected records only', 'rejected', [REJECTED, REJECTED]],
  ])('reports %s as %s', (_what, status, results) => {
    expect(summaryOf(...results).status).toBe(status);
  });

  it('lists the first 100 errors, marks the list as truncated, and counts all of them', () => {
    const hundred = Array.from({ length: 100 }, () => REJECTED);
    expect(summaryOf(...hundred).toBody(0, 'c')).toMatchObject({ errorsTruncated: false });
    const body = summaryOf(...hundred, ACCEPTED, REJECTED).toBody(0, 'c');
    expect(body).toMatchObject({ errorsTruncated: true, summary: { records: 102, rejected: 101 } });
    expect(body.errors).toHaveLength(100);
  });

  it('says when a rejected record is not known to be kept', () => {
    const summary = summaryOf(REJECTED);
    summary.add(2, REJECTED, false);
    summary.add(3, REJECTED, true);
    expect(summary.counts(7)).toEqual({ records: 3, accepted: 0, duplicates: 0, rejected: 3, bytes: 7, kept: false });
    const kept = (summary.toBody(7, 'c').errors as { kept?: false }[]).map((error) => error.kept);
    expect(kept).toEqual([undefined, false, undefined]);
  });

  it('omits the pointer of an error without one', () => {
    const rejection = { code: 'malformed-body', message: 'no JSON', errors: [] } as const;
    const summary = summaryOf({ kind: 'rejected', rejection: { ...rejection, errors: [] } });
    expect(summary.toBody(0, 'c').errors).toEqual([{ record: 1, code: 'malformed-body', message: 'no JSON' }]);
  });

  it('I14: reports the last record whose result is final', () => {
    expect(new StreamSummary().lastCommittedRecord).toBe(0);
    expect(summaryOf(ACCEPTED, REJECTED).lastCommittedRecord).toBe(2);
  });
});
