import { lostEvents, withoutLost } from '../../verify/oracle/lost-history';
import { examine } from '../../verify/oracle/oracle';
import { checkStrangers } from '../../verify/oracle/strangers';
import type { Entry, EntryOf } from '../../verify/run/journal';
import { answered, delivered, DELIVERED, evidence, fault, idOf, NORTH, sent, storedAs } from './given';

/** PostgreSQL forgets what it commits from 2 s until the failover has ended at 5 s. */
const BACK: Entry[] = [
  { atMs: 2_000, kind: 'last kept', way: 'failover' },
  ...fault('failover', 'postgres', 3_000, 5_000),
];
const LOST = { fields: { id: 'lost-id' } };
const stored = [storedAs(NORTH), storedAs(DELIVERED)];

describe('the oracle on a database that went back in time', () => {
  const breachesOf = (...entries: Entry[]): string[] => {
    const all = evidence({}, [...BACK, ...entries]);
    return examine({ ...all, journal: withoutLost(all.journal, all.stored) }).violations.map(({ breach }) => breach);
  };
  const again = (told: object, atMs: number): Entry[] => [
    sent(NORTH, { request: 7, atMs: atMs - 100 }),
    answered(NORTH, told, { request: 7, status: 200, atMs }),
  ];

  it('takes an event that was acknowledged and lost for one that was never sent', () => {
    expect(breachesOf(...again(LOST, 2_500))).toEqual([]);
    expect(breachesOf(...again({ outcome: 'taken' }, 2_500))).toEqual([]);
    expect(lostEvents([...BACK, ...again(LOST, 2_500)], stored)).toBe(1);
  });

  it('wants what was acknowledged before, and whatever is acknowledged after, to be stored', () => {
    for (const atMs of [1_900, 6_500]) {
      expect(breachesOf(...again({ ...LOST, outcome: 'duplicate' }, atMs))).toEqual(['doubled']);
    }
    const named = again({ outcome: 'duplicate', fields: { id: idOf(NORTH) } }, 6_500);
    expect(breachesOf(...named)).toEqual([]);
  });

  it('calls a duplicate of an event that is not stored a loss', () => {
    const all = evidence({}, [...BACK]);
    const journal = withoutLost(
      [...all.journal.filter((entry) => entry.kind !== 'answered'), ...again({ ...LOST, outcome: 'duplicate' }, 6_500)],
      all.stored,
    );
    expect(examine({ ...all, journal }).violations.map(({ breach }) => breach)).toContain('lost');
  });

  it('wants lost events to be delivered no more', () => {
    const ghost = (atMs: number): Entry => delivered({ webhookId: 'lost-id', atMs });
    expect(breachesOf(ghost(2_500), ghost(7_900))).toEqual([]);
    expect(breachesOf(ghost(8_100))).toContain('doubled');
  });

  it('still wants the deliveries of events that are stored', () => {
    const late = evidence({}, BACK);
    const journal = late.journal.map((entry) => (entry.kind === 'delivered' ? { ...entry, atMs: 2_500 } : entry));
    expect(withoutLost(journal, stored).filter(({ kind }) => kind === 'delivered')).toHaveLength(1);
  });

  it('wants messages of ours to be parked only when their events were lost', () => {
    const parked = (id: string, entries: readonly Entry[]): string[] =>
      examine(evidence({ parkedMessages: [id] }, entries)).violations.map(({ text }) => text);
    expect(parked('lost-id', BACK)).toEqual([]);
    expect(parked('lost-id', [])).toHaveLength(1);
    expect(parked(idOf(NORTH), BACK)).toHaveLength(1);
  });

  it('compares no counters of later, and changes nothing of a run in which nothing was lost', () => {
    const scraped: Entry = { atMs: 9_000, kind: 'scraped', process: 'api-0', pid: 7, values: {} };
    expect(withoutLost([...BACK, scraped], stored)).not.toContain(scraped);
    expect(withoutLost([scraped], stored)).toEqual([scraped]);
  });
});

describe('the oracle on another installation', () => {
  const WHY = 'The virtual host belongs to another installation of StreamForge: …';
  const stranger = (fields: Partial<EntryOf<'stranger'>> = {}): Entry => ({
    atMs: 10_000,
    kind: 'stranger',
    sinceMs: 5_000,
    ready: 0,
    notReady: ['RabbitMQ is not connected', WHY],
    waiting: 10,
    published: 0,
    attempts: 0,
    ...fields,
  });
  const found = (...journal: Entry[]): string[] => checkStrangers({ journal }).map(({ text }) => text);

  it('wants it to say that it may not act, and to do nothing', () => {
    expect(found(stranger())).toEqual([]);
    expect(found(stranger({ ready: 3 }))).toEqual(['another installation was ready on our virtual host, 3 times']);
    expect(found(stranger({ notReady: ['down'] }))).toEqual([
      'another installation does not say why it is not ready: down',
    ]);
    expect(found(stranger({ published: 10, attempts: 1 }))).toHaveLength(2);
  });

  it('excuses that it says something else while a server is down, but no deed', () => {
    const outage = fault('kill', 'postgres', 6_000, 8_000);
    const shared = fault('share', 'rabbitmq', 4_000, 10_000);
    expect(found(stranger({ notReady: ['down'] }), ...outage)).toEqual([]);
    expect(found(stranger({ notReady: ['down'] }), ...shared)).toHaveLength(1);
    expect(found(stranger({ published: 1 }), ...outage)).toHaveLength(1);
  });
});
