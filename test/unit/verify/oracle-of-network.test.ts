import { bringsAgain, hitsDatabase, hitsServer } from '../../verify/oracle/fault-windows';
import { checkBalancer } from '../../verify/oracle/network/balancer';
import { checkForgotten } from '../../verify/oracle/network/forgotten';
import type { Entry, EntryOf } from '../../verify/run/journal';
import { answered, fault, NORTH, sent } from './given';

const textsOf = (found: { text: string }[]): string[] => found.map(({ text }) => text);

describe('the oracle on a firewall that forgets connections', () => {
  const forgotten = (fields: Partial<EntryOf<'forgotten'>> = {}): Entry => ({
    atMs: 35_000,
    kind: 'forgotten',
    server: 'postgres',
    sinceMs: 10_000,
    kept: 2,
    ...fields,
  });
  const found = (...journal: Entry[]): string[] => textsOf(checkForgotten({ journal }));

  it('wants each of them to be replaced', () => {
    expect(found(forgotten({ kept: 0, atMs: 16_000 }))).toEqual([]);
    expect(found(forgotten())).toEqual(['2 connections to postgres are open, and nothing passed for 25 s']);
  });

  it('excuses a server or a process that stood still, but no other fault', () => {
    const own = fault('forget', 'postgres-connections', 10_000, 35_000);
    expect(found(...own, forgotten())).toHaveLength(1);
    const during = (...of: Parameters<typeof fault>) => fault(...of).map((one) => ({ ...one, fault: 1 }) as Entry);
    for (const kind of ['stop', 'hang', 'kill', 'wipe'] as const) {
      expect(found(...own, forgotten(), ...during(kind, 'postgres', 12_000, 14_000))).toEqual([]);
    }
    for (const kind of ['cut', 'cancel', 'deadlock', 'readonly', 'copy', 'reorder', 'forge', 'purge'] as const) {
      expect(found(...own, forgotten(), ...during(kind, 'postgres', 12_000, 14_000))).toHaveLength(1);
    }
    expect(found(...own, forgotten(), ...during('stop', 'worker-0', 12_000, 30_000))).toEqual([]);
    expect(found(...own, forgotten(), ...during('stop', 'worker-1', 12_000, 30_000))).toHaveLength(1);
    expect(found(...own, forgotten(), ...during('stop', 'redis', 12_000, 30_000))).toHaveLength(1);
  });
});

describe('the oracle on a balancer that sends to an api after SIGTERM', () => {
  const left: Entry = { atMs: 8_000, kind: 'left', process: 'api-0', signalledMs: 5_000, requests: [0, 1] };
  const unanswered = (request: number): Entry => ({
    atMs: 6_100,
    kind: 'unanswered',
    request,
    reason: 'ECONNREFUSED',
    told: [],
  });
  const own = fault('leave', 'api-0', 5_000, 9_000);
  const requests = [sent(NORTH, { atMs: 6_000 }), sent(NORTH, { atMs: 6_050, request: 1 }), answered(NORTH)];
  const found = (...journal: Entry[]): string[] =>
    textsOf(checkBalancer({ journal: [...own, ...requests, ...journal] }));

  it('wants a response to each request', () => {
    expect(found(left, answered(NORTH, {}, { request: 1, status: 503 }))).toEqual([]);
    expect(found(left, unanswered(1))).toEqual([
      'request 1, 1050 ms after the SIGTERM to api-0, got no response: ECONNREFUSED',
    ]);
  });

  it('does not want it from others, nor during an outage of PostgreSQL', () => {
    expect(found(left, unanswered(7))).toEqual([]);
    const outage = fault('kill', 'pooler', 5_500, 7_000).map((one) => ({ ...one, fault: 1 }) as Entry);
    expect(found(left, unanswered(1), ...outage)).toEqual([]);
    for (const kind of ['readonly', 'cancel'] as const) {
      const answers = fault(kind, 'postgres', 5_500, 7_000).map((one) => ({ ...one, fault: 1 }) as Entry);
      expect(found(left, unanswered(1), ...answers)).toHaveLength(1);
    }
    const other = fault('kill', 'api-1', 5_500, 7_000).map((one) => ({ ...one, fault: 1 }) as Entry);
    expect(found(left, unanswered(1), ...other)).toHaveLength(1);
  });
});

describe('the ways to the servers', () => {
  it('explain what an outage of their server would', () => {
    for (const target of ['pooler', 'postgres-connections'] as const) {
      expect([hitsDatabase('kill', target), hitsServer('kill', target), bringsAgain('kill', target)]).toEqual([
        true,
        true,
        true,
      ]);
    }
    expect(bringsAgain('forget', 'rabbitmq-connections')).toBe(true);
    expect([hitsServer('forget', 'redis-connections'), bringsAgain('forget', 'redis-connections')]).toEqual([
      true,
      false,
    ]);
  });
});
