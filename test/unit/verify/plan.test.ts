import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { FAULT_KINDS, WAYS_BACK } from '../../verify/faults/schedule';
import { requestsOf, type PlannedRequest } from '../../verify/load/requests/planned-request';
import { carryOut } from '../../verify/faults/carry-out';
import type { HostNames } from '../../verify/landscape/host-names';
import type { Landscape } from '../../verify/landscape/landscape';
import { Journal } from '../../verify/run/journal';
import { planOf } from '../../verify/run/plan';
import { SHORT_FORM } from '../../verify/run/short-form';

const first = (seed: number, count: number): PlannedRequest[] => {
  const requests = requestsOf(seed, 1);
  return Array.from({ length: count }, () => requests.next().value);
};
const faultsOf = (seed: number, seconds: number) => planOf(seed, seconds).faults;
const kindsOf = (seed: number, seconds: number): Set<string> =>
  new Set(faultsOf(seed, seconds).map(({ targets, kind }) => `${kind}-${targets[0]?.split('-')[0]}`));

describe('what a seed decides', () => {
  it('is the same load and the same faults each time, and others for another seed', () => {
    expect(first(7, 500)).toEqual(first(7, 500));
    expect(first(7, 50)).not.toEqual(first(8, 50));
    expect(faultsOf(7, 600)).toEqual(faultsOf(7, 600));
    expect(faultsOf(7, 600)).not.toEqual(faultsOf(9, 600));
  });

  it('is the beginning of a longer run', () => {
    const short = faultsOf(7, 30);
    expect(faultsOf(7, 600).slice(0, short.length)).toEqual(short);
  });

  it('begins with some calm', () => {
    for (let seed = 0; seed < 20; seed++) expect(faultsOf(seed, 60)[0]?.atMs).toBeGreaterThanOrEqual(5_000);
  });

  it('is, for every other seed, a run in which nothing is lost on purpose and nothing is made good', () => {
    for (const seed of [2, 4, 600]) {
      const { reconciles, settings, faults } = planOf(seed, 600);
      expect([reconciles, Number(settings.RECONCILE_AFTER_SECONDS)]).toEqual([false, 86_400]);
      expect(faults.filter(({ kind }) => kind === 'purge' || kind === 'wipe')).toEqual([]);
    }
    expect(planOf(3, 600).reconciles).toBe(true);
  });

  it('has every kind of fault within three minutes', () => {
    expect(kindsOf(3, 180).size).toBe(42);
    expect(new Set(faultsOf(3, 180).map(({ kind }) => kind))).toEqual(new Set(FAULT_KINDS));
  });

  it('has all hostile neighbours in the short form that npm test runs, and what happens in real houses', () => {
    const { seed, seconds } = SHORT_FORM;
    const neighbours = ['forge-rabbitmq', 'forge-redis', 'silence-names', 'unread-readers', 'unmount-api'];
    const houses = ['readonly-postgres', 'kill-pooler', 'leave-api', 'forget-postgres', 'forget-redis'];
    const others = ['share-rabbitmq', expect.stringMatching(/^jump-/) as string];
    expect([...kindsOf(seed, seconds)]).toEqual(expect.arrayContaining([...neighbours, ...houses, ...others]));
    expect(planOf(seed, seconds).goesBack).toBe('failover');
  });

  it('is documented kind by kind', () => {
    const page = readFileSync(path.resolve(__dirname, '../../../docs/verify.md'), 'utf8');
    const [, table = ''] = page.split(/^\| fault +\| of .*\n.*$/m);
    const [rows = ''] = table.split('\n\n');
    const kinds = rows.split('\n').flatMap((row) => row.split('|')[1]?.match(/[a-z]+/g) ?? []);
    expect(new Set(kinds)).toEqual(new Set([...FAULT_KINDS, ...WAYS_BACK]));
  });

  it('lets PostgreSQL go back in time at the end of every run, with and without the reconciler in both ways', () => {
    const plans = [4, 5, 6, 7].map((seed) => planOf(seed, 60));
    expect(plans.map(({ goesBack }) => goesBack)).toEqual(['failover', 'failover', 'restore', 'restore']);
    expect(planOf(4, 60, { kinds: ['restore-postgres', 'kill-worker'] }).goesBack).toBe('restore');
    expect(planOf(4, 60, { kinds: ['kill-worker'] }).goesBack).toBeUndefined();
  });

  it('lets a target come back before it fails again', () => {
    const byTarget = new Map<string, { fromMs: number; toMs: number }[]>();
    for (const { targets, atMs, forMs } of faultsOf(3, 600)) {
      for (const target of targets) {
        byTarget.set(target, [...(byTarget.get(target) ?? []), { fromMs: atMs, toMs: atMs + forMs }]);
      }
    }
    for (const spans of byTarget.values()) {
      spans.slice(1).forEach(({ fromMs }, i) => expect(fromMs).toBeGreaterThan(spans[i]?.toMs as number));
    }
  });

  it('does not include faults that would be much too late', async () => {
    const journal = new Journal('/dev/null');
    const said: string[] = [];
    const scene = {
      landscape: {} as Landscape,
      names: {} as HostNames,
      outside: { apis: [], journal, sent: new Map() },
      journal,
      seed: 7,
      latestMs: -1,
      say: (line: string) => said.push(line),
    };
    const faults = faultsOf(7, 60).map((fault) => ({ ...fault, atMs: 0 }));
    await carryOut(faults, scene);
    await journal.close();
    expect([said.length, said[0]]).toEqual([faults.length, expect.stringMatching(/^too late for /)]);
    expect(journal.entries).toEqual([]);
  });

  it('can be cut down to some of its faults, which keep their numbers', () => {
    expect(planOf(7, 60, { numbers: [1, 3] }).faults.map(({ number }) => number)).toEqual([1, 3]);
  });

  it('can be made of some kinds alone, or of none', () => {
    const kinds = planOf(7, 60, { kinds: ['kill-worker', 'cut-postgres'] }).faults.map(({ kind }) => kind);
    expect([kinds.length > 10, new Set(kinds)]).toEqual([true, new Set(['kill', 'cut'])]);
    expect(planOf(7, 60, { kinds: ['none'] }).faults).toEqual([]);
  });

  it('has every kind of request, and events that come again', () => {
    const requests = first(3, 3_000);
    expect(new Set(requests.map(({ kind }) => kind))).toEqual(
      new Set(['single', 'broken single', 'stream', 'webhook']),
    );
    const singles = requests.flatMap((request) => (request.kind === 'single' ? [request.event] : []));
    expect(new Set(singles.map(({ form }) => form)).size).toBe(3);
    expect(new Set(singles.map(({ name }) => name)).size).toBeLessThan(singles.length);
  });

  it('never repeats an event under what would make it another one', () => {
    for (const request of first(5, 5_000)) {
      if (request.kind !== 'stream') continue;
      const { key, records } = request.stream;
      const allowed = key === undefined ? ['event-id', 'content'] : ['event-id'];
      for (const record of records) if ('event' in record) expect(allowed).toContain(record.event.identity);
    }
  });
});
