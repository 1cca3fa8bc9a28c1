import { counterIn, ratePerSecond } from '../../../bench/against/readings';

const METRICS = `# HELP attempts_total Attempts by status and reason
# TYPE attempts_total counter
attempts_total{status="SUCCESS",reason_code="PROCESSED"} 40
attempts_total{status="SUCCESS",reason_code="SKIPPED"} 2
attempts_total{status="FAILED",reason_code="TIMEOUT"} 7
attempts_total_created 1764000000
published_total 12
`;

describe('a counter in /metrics', () => {
  it('is summed over its series with the label', () => {
    expect(counterIn(METRICS, 'attempts_total', 'status="SUCCESS"')).toBe(42);
  });

  it('is read where it has no labels', () => {
    expect(counterIn(METRICS, 'published_total')).toBe(12);
  });

  it('is 0 before its first series', () => {
    expect(counterIn(METRICS, 'unknown_total')).toBe(0);
  });
});

describe('the rate between readings', () => {
  const readings = (...counts: number[]) => counts.map((count, i) => ({ atMs: 1000 + i * 50, count }));

  it('leaves out the start of the process and the wait for the last reading', () => {
    expect(ratePerSecond(readings(0, 0, 100, 300, 500, 600), 600)).toBe(4000);
  });

  it('is refused when fewer than two readings saw it at work', () => {
    expect(() => ratePerSecond(readings(0, 300, 600), 600)).toThrow('raise --events');
  });
});
