import { Logger } from '@nestjs/common';
import { ProxyHealth } from '../../../src/observability/proxy-health';

describe('the health of the proxy', () => {
  const lines: object[] = [];
  beforeEach(() => {
    lines.length = 0;
    Logger.overrideLogger({ log: () => undefined, error: () => undefined, warn: (line: object) => lines.push(line) });
  });
  afterEach(() => void Logger.overrideLogger(false));

  it('pauses connections for 5 s after a failure, shows it for a minute, and forgets it with an answer', () => {
    const health = new ProxyHealth();
    expect([health.pausedBy(0), health.fault(0)]).toEqual([undefined, undefined]);
    health.failed('gone', 0);
    expect([health.pausedBy(4_999), health.pausedBy(5_000)]).toEqual(['gone', undefined]);
    expect([health.fault(59_999), health.fault(60_000)]).toEqual(['gone', undefined]);
    health.answered(1_000);
    expect([health.pausedBy(1_000), health.fault(1_000)]).toEqual([undefined, undefined]);
    expect([health.hasAnsweredSince(1_000), health.hasAnsweredSince(1_001)]).toEqual([true, false]);
  });

  it('is logged once a minute', () => {
    const health = new ProxyHealth();
    for (const atMs of [0, 5_000, 59_999, 60_000]) health.failed('gone', atMs);
    expect(lines).toEqual([
      { msg: 'proxy.unavailable', reason: 'gone', count: 1 },
      { msg: 'proxy.unavailable', reason: 'gone', count: 3 },
    ]);
  });
});
