import type { Evidence, ReadBack, StoredEvent } from '../../verify/evidence';
import type { Entry } from '../../verify/journal';
import { judge, resultLine } from '../../verify/oracle';

const PAYLOAD = '{"amount":10.10}';
const NAMES = ['north-0-0', 'delivered-2-0'];

const idOf = (name: string): string => `id-of-${name}`;
const storedAs = (name: string, fields: Partial<StoredEvent> = {}): StoredEvent => ({
  id: idOf(name),
  tenant: name.split('-')[0] as string,
  name,
  status: 'COMPLETED',
  generation: 1,
  replayed: 0,
  successes: [1],
  failedAttempts: 0,
  ...fields,
});
const readAs = (name: string, fields: Partial<ReadBack> = {}): ReadBack => ({
  httpStatus: 200,
  id: idOf(name),
  status: 'COMPLETED',
  payloadText: PAYLOAD,
  ...fields,
});
const answered = (name: string, id?: string): Entry => ({
  atMs: 1,
  kind: 'answered',
  request: 0,
  status: 202,
  acknowledged: [id === undefined ? { name } : { name, id }],
});
const delivered = (name: string, fields: object = {}): Entry => ({
  atMs: 2,
  kind: 'delivered',
  webhookId: idOf(name),
  name,
  payloadText: PAYLOAD,
  status: 204,
  ...fields,
});
const replay = (fields: object = {}): Entry => ({
  atMs: 3,
  kind: 'replay',
  tenant: 'north',
  status: 202,
  replayId: 'r',
  reason: '',
  ...fields,
});

/** One event of a tenant without destination and one that was delivered, both as they should be. */
function evidence(change: Partial<Evidence> = {}, more: Entry[] = []): Evidence {
  return {
    journal: [...NAMES.map((name) => answered(name, idOf(name))), delivered('delivered-2-0'), ...more],
    payloads: new Map(NAMES.map((name) => [name, PAYLOAD])),
    readBack: new Map(NAMES.map((name) => [name, readAs(name)])),
    stored: NAMES.map((name) => storedAs(name)),
    usage: new Map([
      ['north', 1],
      ['delivered', 1],
    ]),
    replays: [],
    outbox: { open: 0, failed: 0 },
    waitingRetries: 0,
    deadLetters: 0,
    deliveredTenant: 'delivered',
    ...change,
  };
}

const north = (fields: Partial<StoredEvent>): Partial<Evidence> => ({
  stored: [storedAs('north-0-0', fields), storedAs('delivered-2-0')],
});
const readNorth = (fields: Partial<ReadBack>): Partial<Evidence> => ({
  readBack: new Map([
    ['north-0-0', readAs('north-0-0', fields)],
    ['delivered-2-0', readAs('delivered-2-0')],
  ]),
});
const breaches = (...given: Parameters<typeof evidence>): string[] =>
  judge(evidence(...given)).violations.map(({ breach }) => breach);
const metered = (count: number): Partial<Evidence> => ({
  usage: new Map([
    ['north', count],
    ['delivered', 1],
  ]),
});

describe('the oracle of the fault suite', () => {
  it('has nothing to say of a run that kept every promise', () => {
    const verdict = judge(evidence());
    expect(verdict).toEqual({ accepted: 2, completed: 2, lost: 0, doubled: 0, violations: [] });
    expect(resultLine(verdict)).toBe('accepted 2, completed 2, lost 0, doubled 0');
  });

  it('takes a replay for what it is: one more generation, effect and delivery', () => {
    const again = { generation: 2, replayed: 1, successes: [1, 2] };
    const stored = NAMES.map((name) => storedAs(name, again));
    const usage = new Map([
      ['north', 2],
      ['delivered', 2],
    ]);
    const change = { stored, usage, replays: [{ id: 'r', status: 'DONE' }] };
    expect(breaches(change, [replay(), delivered('delivered-2-0')])).toEqual([]);
    expect(breaches(change, [replay()])).toEqual(['undelivered']);
  });

  it('does not mind an event that was stored though nobody was told', () => {
    const untold = 'north-0-1';
    const payloads = new Map([...NAMES, untold].map((name) => [name, PAYLOAD]));
    const change = { payloads, stored: [...NAMES, untold].map((name) => storedAs(name)), ...metered(2) };
    expect(breaches(change)).toEqual([]);
    expect(judge(evidence(change)).accepted).toBe(2);
  });

  it.each<[string, Partial<Evidence>, Entry[], string[]]>([
    ['an acknowledged event that cannot be read', readNorth({ httpStatus: 404 }), [], ['lost']],
    ['one that nobody could even ask for', {}, [answered('north-0-9')], ['lost']],
    ['an id that reads as another event', readNorth({ id: 'another' }), [], ['lost']],
    ['a changed payload', readNorth({ payloadText: '{"amount":10.1}' }), [], ['changed']],
    ['a second id for one event', {}, [answered('north-0-0', 'another')], ['doubled']],
    [
      'two events of one name',
      { stored: [...evidence().stored, storedAs('north-0-0', { id: 'another' })], ...metered(2) },
      [],
      ['doubled'],
    ],
    ['an event that nobody sent', { payloads: new Map([['delivered-2-0', PAYLOAD]]) }, [], ['changed', 'changed']],
    ['an event that is not settled', north({ status: 'PUBLISHED' }), [], ['unsettled']],
    ['a generation without success', north({ successes: [] }), [], ['unsettled']],
    ['two successes of one generation', north({ successes: [1, 1] }), [], ['doubled']],
    ['a success of a generation that is not there', north({ successes: [1, 2] }), [], ['doubled']],
    ['an effect that happened twice', metered(2), [], ['doubled']],
    ['an effect that did not happen', metered(0), [], ['effects']],
    ['an attempt that an outage used up', north({ failedAttempts: 1 }), [], ['failed by an outage']],
    ['an entry that an outage made FAILED', { outbox: { open: 0, failed: 1 } }, [], ['failed by an outage']],
    ['a dead letter', { deadLetters: 1 }, [], ['failed by an outage']],
    ['an open entry', { outbox: { open: 1, failed: 0 } }, [], ['unsettled']],
    ['a retry that still waits', { waitingRetries: 1 }, [], ['unsettled']],
    ['a delivery under another id', {}, [delivered('delivered-2-0', { webhookId: 'another' })], ['doubled']],
    ['a delivery with another payload', {}, [delivered('delivered-2-0', { payloadText: '{}' })], ['changed']],
    ['a replay that was answered and is gone', {}, [replay()], ['lost']],
    ['a replay that never ends', { replays: [{ id: 'r', status: 'RUNNING' }] }, [replay()], ['unsettled']],
    ['a replay that nobody asked for', { replays: [{ id: 'r', status: 'DONE' }] }, [], ['replay']],
    [
      'a generation without a replay',
      { ...north({ generation: 2, successes: [1, 2] }), ...metered(2) },
      [],
      ['replay'],
    ],
    ['an answer that no outage explains', {}, [replay({ status: 500, replayId: undefined })], ['strange answer']],
    ['a process that fell over', {}, [{ atMs: 1, kind: 'crashed', process: 'api-0', output: '' }], ['crashed']],
  ])('notices %s', (_, change, more, expected) => {
    expect(breaches(change, more)).toEqual(expected);
  });

  it('notices an event that the receiver never took', () => {
    const refused = delivered('delivered-2-0', { status: 500 });
    const journal = [...NAMES.map((name) => answered(name, idOf(name))), refused];
    expect(breaches({ journal })).toEqual(['undelivered']);
  });

  it('counts lines of a stream that broke off as acknowledged', () => {
    const broken: Entry = { ...(answered('north-0-9', 'x') as object), kind: 'unanswered', reason: '' } as Entry;
    expect(breaches({}, [broken])).toEqual(['lost']);
  });
});
