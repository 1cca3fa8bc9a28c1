import { boundLine, holds } from '../../../bench/deliveries/bounds';
import { manyDestinationsComparison } from '../../../bench/deliveries/many-destinations-report';
import { retryingReport } from '../../../bench/deliveries/retrying';
import { threeDestinationsReport } from '../../../bench/deliveries/three-destinations';

const bound = (...values: number[]) => ({ what: 'p99 in ms', values, most: 10, digits: 1 });

/** PASS and FAIL, in the order of the report. */
const verdictsIn = (report: string): string[] => report.match(/^(PASS|FAIL)/gm) ?? [];

describe('a bound', () => {
  it('is judged by the median of the rounds', () => {
    expect(holds(bound(9, 10, 50))).toBe(true);
    expect(holds(bound(9, 11, 12))).toBe(false);
  });

  it('does not hold without a measurement', () => {
    expect(holds(bound(Number.NaN))).toBe(false);
    expect(holds(bound())).toBe(false);
  });

  it('is shown as one line with the spread of the rounds', () => {
    expect(boundLine(bound(9, 11, 12.25))).toBe('FAIL p99 in ms: 11.0 (9.0–12.3) (wanted <= 10)\n');
  });
});

describe('the reports of the deliveries', () => {
  it('compare the healthy destination beside the two others with the same one alone, in each round', () => {
    const alone = { perSecond: 500, p50Ms: 10, p99Ms: 40 };
    const beside = { perSecond: 350, p50Ms: 10, p99Ms: 50 };

    expect(verdictsIn(threeDestinationsReport([{ alone, beside }]))).toEqual(['PASS', 'FAIL']);
  });

  it('compare the CPU time of gateway and PostgreSQL of two builds', () => {
    const one = (gatewayUs: number, postgresUs: number) => ({ p50Ms: 1, p99Ms: 2, gatewayUs, postgresUs, walBytes: 3 });
    const round = {
      old: { healthy: one(100, 200), withDead: one(100, 200) },
      new: { healthy: one(150, 150), withDead: one(100, 210) },
    };

    const { text, holds: both } = manyDestinationsComparison([round]);

    expect(verdictsIn(text)).toEqual(['PASS', 'FAIL']);
    expect(both).toBe(false);
  });

  it('allow an idle worker on a million deliveries 1 ms per second more than on none', () => {
    const idle = (workerMs: number, postgresMs: number) => ({
      empty: { workerMs: 3, postgresMs: 2 },
      million: { workerMs, postgresMs },
    });
    const claims = [{ empty: { ms: 1, buffers: 100 }, million: { ms: 1.2, buffers: 140 } }];

    expect(verdictsIn(retryingReport({ idle: [idle(3.5, 2.5)], claims }))).toEqual(['PASS', 'PASS', 'FAIL']);
    expect(verdictsIn(retryingReport({ idle: [idle(3.6, 2.5)], claims }))).toEqual(['FAIL', 'PASS', 'FAIL']);
  });
});
