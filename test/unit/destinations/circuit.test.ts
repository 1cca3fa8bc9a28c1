import { Circuit, CIRCUIT_RULES, FAILURE_WEIGHT } from '../../../src/destinations/circuit';

const { opensAt, openMs, mostOpenMs } = CIRCUIT_RULES;

function failUntilOpen(circuit: Circuit, nowMs: number, weight: number = FAILURE_WEIGHT.quick): number {
  let failures = 0;
  while (!circuit.isOpen) {
    const admission = circuit.admit(nowMs);
    if (!admission) throw new Error('a closed circuit refused a call');
    circuit.failed(admission, weight, nowMs);
    failures += 1;
  }
  return failures;
}

describe('a circuit', () => {
  it('opens after 20 quick failures without a success between them, or after 5 timeouts', () => {
    expect(failUntilOpen(new Circuit(), 0)).toBe(opensAt);
    expect(failUntilOpen(new Circuit(), 0, FAILURE_WEIGHT.timeout)).toBe(5);
  });

  it('stays closed while some calls succeed', () => {
    const circuit = new Circuit();
    for (let i = 0; i < 100; i++) {
      circuit.failed('closed', FAILURE_WEIGHT.timeout, 0);
      if (i % 3 === 0) circuit.succeeded();
    }
    expect(circuit.isOpen).toBe(false);
  });

  it('admits no call while it is open, and later one probe at a time', () => {
    const circuit = new Circuit();
    failUntilOpen(circuit, 0);
    expect([circuit.nextProbeMs, circuit.admit(openMs - 1)]).toEqual([openMs, undefined]);
    expect([circuit.admit(openMs), circuit.admit(openMs), circuit.refuses(openMs)]).toEqual(['probe', undefined, true]);
  });

  it('closes when a probe succeeds', () => {
    const circuit = new Circuit();
    failUntilOpen(circuit, 0);
    circuit.admit(openMs);
    circuit.succeeded();
    expect([circuit.isOpen, circuit.admit(openMs)]).toEqual([false, 'closed']);
    expect(failUntilOpen(circuit, openMs)).toBe(opensAt);
  });

  it('doubles its open time with every failed probe, up to a limit', () => {
    const circuit = new Circuit();
    failUntilOpen(circuit, 0);
    let nowMs = 0;
    const waits = Array.from({ length: 7 }, () => {
      const waitMs = circuit.nextProbeMs - nowMs;
      nowMs = circuit.nextProbeMs;
      expect(circuit.admit(nowMs)).toBe('probe');
      circuit.failed('probe', FAILURE_WEIGHT.quick, nowMs);
      return waitMs;
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30].map((n) => Math.min(n * openMs, mostOpenMs)));
  });

  it('ignores late failures of calls from before it opened, and closes after a late success', () => {
    const circuit = new Circuit();
    failUntilOpen(circuit, 0);
    circuit.failed('closed', FAILURE_WEIGHT.timeout, openMs / 2);
    expect(circuit.nextProbeMs).toBe(openMs);
    circuit.succeeded();
    expect(circuit.isOpen).toBe(false);
  });

  it('admits another probe after one that ended without a result', () => {
    const circuit = new Circuit();
    failUntilOpen(circuit, 0);
    circuit.admit(openMs);
    circuit.ended('probe');
    expect(circuit.admit(openMs)).toBe('probe');
  });
});
