import { isSampled, startSpan, traceparentOf, traceparentOfRecord } from '../../../src/observability/spans';

const SAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const UNSAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

describe('a trace context', () => {
  it.each([
    [SAMPLED, true],
    [UNSAMPLED, false],
    [`${SAMPLED.slice(0, -2)}03`, true],
    [`${SAMPLED.slice(0, -2)}ff`, true],
    [`${SAMPLED.slice(0, -2)}02`, false],
    [undefined, false],
    [null, false],
  ])('%s is sampled: %s', (traceparent, sampled) => {
    expect(isSampled(traceparent)).toBe(sampled);
  });

  it('remains the caller’s when tracing is off', () => {
    expect(traceparentOf(startSpan('any', SAMPLED))).toBe(SAMPLED);
    expect(startSpan('any', undefined).isRecording()).toBe(false);
  });
});

describe('a record of a stream', () => {
  it.each([1, 20])('stays sampled when it is number %i', (number) => {
    expect(traceparentOfRecord(SAMPLED, number)).toBe(SAMPLED);
  });

  it('keeps only the trace id from number 21 on', () => {
    expect(traceparentOfRecord(SAMPLED, 21)).toBe(UNSAMPLED);
    expect(traceparentOfRecord(UNSAMPLED, 21)).toBe(UNSAMPLED);
    expect(traceparentOfRecord(undefined, 21)).toBeUndefined();
  });
});
