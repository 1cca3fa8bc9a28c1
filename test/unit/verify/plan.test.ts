import { faultSchedule } from '../../verify/faults';
import { requestsOf, type PlannedRequest } from '../../verify/load';

const first = (seed: number, count: number): PlannedRequest[] => {
  const requests = requestsOf(seed, 1);
  return Array.from({ length: count }, () => requests.next().value);
};

describe('what a seed decides', () => {
  it('is the same load and the same faults each time, and others for another seed', () => {
    expect(first(7, 500)).toEqual(first(7, 500));
    expect(first(7, 50)).not.toEqual(first(8, 50));
    expect(faultSchedule(7, 600)).toEqual(faultSchedule(7, 600));
    expect(faultSchedule(7, 600)).not.toEqual(faultSchedule(8, 600));
  });

  it('is the beginning of a longer run', () => {
    const short = faultSchedule(7, 30);
    expect(faultSchedule(7, 600).slice(0, short.length)).toEqual(short);
  });

  it('has every kind of fault within two minutes', () => {
    const kinds = new Set(faultSchedule(3, 120).map(({ target, kind }) => `${kind} ${target.split('-')[0]}`));
    expect(kinds.size).toBe(17);
  });

  it('lets a target come back before it fails again', () => {
    for (const own of Map.groupBy(faultSchedule(3, 600), ({ target }) => target).values()) {
      own.reduce((before, fault) => {
        expect(fault.atMs).toBeGreaterThan(before.atMs + before.forMs);
        return fault;
      });
    }
  });

  it('has every kind of request, and events that come again', () => {
    const requests = first(3, 2_000);
    expect(new Set(requests.map(({ kind }) => kind))).toEqual(new Set(['post', 'stream', 'replay']));
    const names = requests.flatMap((request) => (request.kind === 'post' ? [request.event.name] : []));
    expect(new Set(names).size).toBeLessThan(names.length);
  });

  it('never repeats an event under what would make it another one', () => {
    for (const request of first(5, 5_000)) {
      if (request.kind !== 'stream') continue;
      const allowed = request.key === undefined ? ['event-id', 'content'] : ['event-id'];
      for (const { identity } of request.events) expect(allowed).toContain(identity);
    }
  });
});
