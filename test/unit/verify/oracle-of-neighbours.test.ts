import type { StoredDeliveryAttempt } from '../../verify/evidence/evidence';
import { STALL_MS } from '../../verify/landscape/settings';
import { checkSilences } from '../../verify/oracle/deliveries/silences';
import { checkSlowReaders, checkSpillFailures } from '../../verify/oracle/slow-readers';
import type { Entry, EntryOf } from '../../verify/run/journal';
import { delivered, DELIVERED, deliveryAttempt, deliveryTo, evidence, fault, NORTH, sent, storedAs } from './given';

const API = 'http://api-0';
const started = (fields: Partial<EntryOf<'started'>> = {}): Entry => ({
  atMs: 0,
  kind: 'started',
  process: 'api-0',
  pid: 7,
  url: API,
  ...fields,
});

describe('the oracle on silent name servers', () => {
  const silence = fault('silence', 'names', 10_000, 22_000);
  const load = sent(NORTH, { atMs: 30_000 });
  const to = (destination: string, ...timesMs: number[]): Entry[] =>
    timesMs.map((atMs) => delivered({ destination, atMs }));
  const everySecond = Array.from({ length: 12 }, (_, i) => 10_500 + i * 1_000);
  const orders = to('orders', ...everySecond);
  const deliveries = (...timesMs: number[]): Entry[] => [...orders, ...to('all', ...timesMs)];
  const found = (journal: Entry[], log: StoredDeliveryAttempt[] = []): string[] => {
    const stored = [storedAs(DELIVERED, { deliveries: [deliveryTo('all', log)] })];
    return checkSilences(evidence({ journal, stored })).map(({ text }) => text);
  };
  const often = deliveries(...everySecond);

  it('wants deliveries to the other destinations to go on', () => {
    expect(found([...silence, ...often, load])).toEqual([]);
    expect(found([...silence, ...deliveries(10_500, 11_500), load])).toEqual([
      'all got nothing for 10500 ms while the name servers of others were silent',
    ]);
    expect(found([...silence, load])).toHaveLength(2);
  });

  it('does not count deliveries to the destinations whose name servers are silent', () => {
    expect(found([...silence, ...orders, ...to('far-stock', ...everySecond), load])).toHaveLength(1);
  });

  it('excuses a time in which another fault stopped deliveries, or after the load', () => {
    const other = fault('kill', 'postgres', 12_000, 19_500).map((one) => ({ ...one, fault: 1 }) as Entry);
    expect(found([...silence, ...other, ...deliveries(10_500, 11_500), load])).toEqual([]);
    expect(found([...silence, ...deliveries(10_500, 11_500), sent(NORTH, { atMs: 13_000 })])).toEqual([]);
    const paused: Entry = { atMs: 15_000, kind: 'paused', destination: 'all', surelyMs: 12_000, toMs: 15_000 };
    expect(found([...silence, paused, ...deliveries(10_500, 11_500, 17_900), load])).toEqual([]);
    expect(found([...silence, paused, ...to('all', ...everySecond), load])).toHaveLength(1);
    const redis = fault('flush', 'redis', 12_000, 19_500).map((one) => ({ ...one, fault: 1 }) as Entry);
    expect(found([...silence, ...redis, ...deliveries(10_500, 11_500), load])).toHaveLength(1);
  });

  it('wants most attempts to reach the receiver', () => {
    const timedOut = Array.from({ length: 12 }, (_, i) =>
      deliveryAttempt({ attemptNumber: i + 1, statusCode: null, reasonCode: 'TIMEOUT', atMs: 16_000 + i * 100 }),
    );
    const journal = [...silence, ...often, load];
    expect(found(journal, timedOut)).toEqual([]); // the receiver got as many requests
    const twice = timedOut.flatMap((one) => [one, { ...one, attemptNumber: one.attemptNumber + 12 }]);
    expect(found(journal, twice)).toEqual([
      '12 of 24 attempts did not reach the receiver while the name servers of others were silent',
    ]);
    expect(
      found(
        journal,
        twice.map((one) => ({ ...one, atMs: 12_000 })),
      ),
    ).toEqual([]); // addresses are still known
  });
});

describe('the oracle on slow readers', () => {
  const reader = (fields: Partial<EntryOf<'slow reader'>>): Entry => ({
    atMs: 20_000,
    kind: 'slow reader',
    request: 3,
    to: API,
    manner: 'late',
    sentMs: 10_000,
    end: 'complete',
    why: '',
    ...fields,
  });
  const found = (...journal: Entry[]): string[] =>
    checkSlowReaders({ journal: [started(), ...journal] }).map(({ breach }) => breach);

  it.each<[what: string, fields: Partial<EntryOf<'slow reader'>>, expected: string[]]>([
    ['a late reader gets everything', {}, []],
    ['a slow reader is told to come again', { manner: 'slowly', end: 'later' }, []],
    ['a late reader loses its connection', { end: 'ended' }, ['strange answer']],
    ['a slow reader loses its connection', { manner: 'slowly', end: 'ended' }, ['strange answer']],
    ['a late reader waits for ever', { end: 'kept' }, ['strange answer']],
    ['one that never reads loses its connection', { manner: 'never', end: 'ended' }, []],
    ['it does so too early', { manner: 'never', end: 'ended', atMs: 10_000 + STALL_MS - 1 }, ['strange answer']],
    ['it keeps its connection', { manner: 'never', end: 'kept' }, ['strange answer']],
  ])('knows what is right when %s', (_, fields, expected) => {
    expect(found(reader(fields))).toEqual(expected);
  });

  it('excuses an end by a fault of the api, but not by a missing disk or another process', () => {
    const ended = reader({ end: 'ended' });
    expect(found(ended, ...fault('kill', 'api-0', 12_000, 13_000))).toEqual([]);
    expect(found(ended, ...fault('unmount', 'api-0', 9_000, 21_000))).toEqual(['strange answer']);
    expect(found(ended, ...fault('kill', 'api-1', 12_000, 13_000))).toEqual(['strange answer']);
    expect(found(ended, ...fault('kill', 'postgres', 12_000, 13_000))).toEqual(['strange answer']);
    const kept = reader({ manner: 'never', end: 'kept' });
    expect(found(kept, ...fault('kill', 'postgres', 12_000, 13_000))).toEqual([]);
  });

  it('wants a failure of SPILL_DIRECTORY to be counted', () => {
    const unmount = fault('unmount', 'api-0', 9_000, 21_000);
    const never = reader({ manner: 'never', end: 'ended' });
    const scraped = (failures: number, pid = 7): Entry => ({
      atMs: 60_000,
      kind: 'scraped',
      process: 'api-0',
      pid,
      values: { streamforge_spill_failures_total: failures },
    });
    const failures = (...journal: Entry[]): string[] =>
      checkSpillFailures({ journal: [started(), ...journal] }).map(({ breach }) => breach);
    expect(failures(...unmount, never, scraped(1))).toEqual([]);
    expect(failures(...unmount, never, scraped(0))).toEqual(['metrics']);
    expect(failures(...unmount, never, started({ atMs: 30_000, pid: 8 }), scraped(0, 8))).toEqual([]);
    const outage = fault('stop', 'postgres', 12_000, 13_000).map((one) => ({ ...one, fault: 1 }) as Entry);
    expect(failures(...unmount, ...outage, never, scraped(0))).toEqual([]);
    expect(failures(never, scraped(0))).toEqual([]);
  });
});
