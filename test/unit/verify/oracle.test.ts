import type { Evidence, StoredDelivery } from '../../verify/evidence/evidence';
import { checkAcknowledged } from '../../verify/oracle/acknowledged';
import { checkConduct } from '../../verify/oracle/conduct';
import { checkDeliveries } from '../../verify/oracle/deliveries/deliveries';
import { checkFailures } from '../../verify/oracle/failures';
import { checkAnswers, checkFields } from '../../verify/oracle/fields';
import { checkHistory } from '../../verify/oracle/history';
import { checkIdentity } from '../../verify/oracle/identity';
import { checkMetrics } from '../../verify/oracle/metrics';
import { checkOperators } from '../../verify/oracle/operators';
import { examine, resultLine } from '../../verify/oracle/oracle';
import { checkReconciler } from '../../verify/oracle/reconciler';
import { checkRejections } from '../../verify/oracle/rejections';
import { checkRest } from '../../verify/oracle/rest';
import { checkUsage } from '../../verify/oracle/usage';
import type { Violation } from '../../verify/oracle/violation';
import type { Entry, EntryOf } from '../../verify/run/journal';
import {
  answered,
  attempt,
  delivered,
  DELIVERED,
  deliveryAttempt,
  deliveryTo,
  evidence,
  fault,
  idOf,
  NORTH,
  north,
  operator,
  outboxEntry,
  planned,
  readAs,
  readNorth,
  sent,
  storedAs,
  textOf,
} from './given';

type Rule = (evidence: Evidence) => Violation[];

const found = (rules: readonly Rule[], change: Partial<Evidence>, more: readonly Entry[]): string[] =>
  rules.flatMap((rule) => rule(evidence(change, more))).map(({ breach }) => breach);
const breaches = (change: Partial<Evidence> = {}, more: readonly Entry[] = []): string[] =>
  examine(evidence(change, more)).violations.map(({ breach }) => breach);

type Case = [what: string, change: Partial<Evidence>, more: readonly Entry[], expected: string[]];

const forged = (id: string): Entry => ({ atMs: 3_000, kind: 'forged', ids: [id] });
const withoutUsage = { usage: evidence().usage.slice(1) };
const twiceUsed = (tenant: string): Partial<Evidence> => ({
  usage: evidence().usage.map((row) => (row.tenant === tenant ? { ...row, events: 2, bytes: 200 } : row)),
});
const journalOf = (...entries: Entry[]): Partial<Evidence> => ({ journal: entries });
const all = [sent(NORTH), sent(DELIVERED), answered(NORTH), answered(DELIVERED)];

describe('the oracle of the fault suite', () => {
  it('has nothing to say of a run that kept every promise', () => {
    const result = examine(evidence());
    expect(result).toEqual({ accepted: 2, completed: 2, lost: 0, doubled: 0, violations: [], expected: [] });
    expect(resultLine(result)).toBe('accepted 2, completed 2, lost 0, doubled 0, violations 0');
  });

  it('does not mind an event that was stored though nobody was told', () => {
    const untold = 'north-0-1';
    const stored = [...evidence().stored, storedAs(untold)];
    const all = new Map([...evidence().sent, [untold, planned(untold)] as const]);
    expect(breaches({ stored, sent: all, ...twiceUsed('north') })).toEqual([]);
    expect(examine(evidence({ stored, sent: all })).accepted).toBe(2);
  });

  it('takes a replay for what it is: one more generation, effect and delivery', () => {
    const again = {
      generation: 2,
      attempts: [attempt(), attempt({ generation: 2, dispatchNo: 2, atMs: 4_000 })],
      entries: [outboxEntry(), outboxEntry({ destination: 'retry', dispatchNo: 2, generation: 2 })],
      replays: [{ replayId: 'r', mode: 'reprocess' as const, outcome: 'COMPLETED', dispatchNo: 2 }],
      deliveries: [deliveryTo('all'), deliveryTo('all', undefined, { generation: 2 })],
    };
    const change: Partial<Evidence> = {
      stored: [storedAs(NORTH), storedAs(DELIVERED, again)],
      ...twiceUsed('delivered'),
      replays: [{ id: 'r', status: 'DONE', mode: 'reprocess', correlationId: 'operator-0' }],
      audit: [{ action: 'replay', correlationId: 'operator-0', counts: { matched: 1 } }],
    };
    expect(breaches(change, [operator(), delivered({ atMs: 3_900 })])).toEqual([]);
    expect(breaches(change, [operator()])).toEqual(['undelivered', 'undelivered']);
  });

  it('takes a dead letter for what it is, and wants its copy', () => {
    const poison = attempt({
      status: 'DLQ',
      reasonCode: 'HANDLER_ERROR',
      exhausted: true,
      message: 'poison',
      attemptNumber: 1,
    });
    const dead = {
      type: 'poison.always',
      status: 'DLQ',
      attempts: [poison],
      entries: withCopy(),
      deadLetter: { reasonCode: 'HANDLER_ERROR', resolution: null },
    };
    const change = { ...north(dead), ...withoutUsage, ...poisonType() };
    expect(breaches({ ...change, deadLetterCopies: [idOf(NORTH)] })).toEqual(['failed by an outage']); // not the last
    const last = Array.from({ length: 8 }, (_, i) =>
      attempt({
        status: i === 7 ? 'DLQ' : 'RETRY',
        reasonCode: 'HANDLER_ERROR',
        exhausted: i === 7,
        message: 'poison',
        attemptNumber: i + 1,
        dispatchNo: i + 1,
        atMs: 2_000 + i * 1_100,
      }),
    );
    const exhausted = { ...change, ...north({ ...dead, attempts: last, entries: withCopy(8) }) };
    expect(breaches({ ...exhausted, deadLetterCopies: [idOf(NORTH)] })).toEqual([]);
    expect(breaches(exhausted)).toEqual(['dead letter']);
    expect(breaches({ ...exhausted, deadLetterCopies: [idOf(NORTH), idOf(NORTH)] })).toEqual(['dead letter']);
  });

  it.each([
    ['acted once', { status: undefined }, [audited()]],
    ['was answered that it may have acted, and did', { status: 503, body: { actionId: 'a' } }, [audited()]],
    ['did not act', { status: 503, body: {} }, [{ ...audited(), correlationId: 'operator-1' }]],
    ['was in progress', { status: 409, body: { code: 'idempotency-in-flight' } }, [audited()]],
  ])('has nothing against a request that %s, and was sent again with its key', (_what, first, audit) => {
    expect(breaches({ audit }, [retryOf('operator-0', first), retryOf('operator-1')])).toEqual([]);
  });

  it('calls a known fault of the product by its name', () => {
    const known = { name: 'north is lost', issue: 23, explains: ({ names }: Violation) => names.includes(NORTH) };
    const { violations, expected } = examine(evidence({ readBack: gone() }), [known]);
    expect(violations).toEqual([]);
    expect(expected.map(({ fault: { issue } }) => issue)).toEqual([23]);
  });

  const identity: Case[] = [
    ['an acknowledged event that cannot be read', { readBack: gone() }, [], ['lost']],
    ['one that nobody could even ask for', {}, [answered('north-0-9', { outcome: 'taken' })], ['lost']],
    ['an id that reads as another event', readNorth({ id: 'another' }), [], ['lost']],
    ['a second id for one event', {}, [duplicate({ fields: { id: 'another' } })], ['doubled']],
    [
      'two events of one name',
      { stored: [...evidence().stored, storedAs(NORTH, { id: 'another' })], ...twiceUsed('north') },
      [],
      ['doubled'],
    ],
    ['an event that was accepted twice', {}, [answered(NORTH)], ['doubled']],
    [
      'more accepted than there are',
      {},
      [answered(NORTH, { outcome: 'taken' }, { summary: { records: 1, accepted: 1, duplicates: 0, rejected: 0 } })],
      ['doubled'],
    ],
    ['an event that nobody sent', { sent: new Map([[DELIVERED, planned(DELIVERED)]]) }, [], ['changed']],
  ];

  const fields: Case[] = [
    ['a changed payload', readNorth({}, 'COMPLETED', '{"amount":10.1}'), [], ['changed']],
    ["a neighbour's time", readNorth({ occurredAt: '2026-01-01T00:01:00.000Z' }), [], ['changed']],
    ['a source that was not kept', readNorth({ source: 'shop' }), [], ['changed']],
    ['another tenant', readNorth({ tenantId: 'south' }), [], ['changed']],
    ["another request's correlation id", readNorth({ correlationId: 'request-7' }), [], ['changed']],
    ['a receipt before it was sent', readNorth({ receivedAt: '2026-11-29T09:59:00.000Z' }), [], ['changed']],
    ['a receipt after the end', readNorth({ receivedAt: '2026-11-29T12:00:00.000Z' }), [], ['changed']],
    ['a size that is not that of what was sent', { ...north({ sizeBytes: 99 }), ...sized(99) }, [], ['changed']],
    ['an answer that says something else', {}, [duplicate({ fields: { id: idOf(NORTH), hash: 'x' } })], ['changed']],
  ];

  const rejections: Case[] = [
    ['a broken record that was taken', {}, [sentBroken(), duplicate({ outcome: 'taken' }, 5)], ['rejection']],
    ['another code', {}, [sentBroken(), refused('malformed-body')], ['rejection']],
    [
      'a good record that was refused',
      {},
      [{ ...sentBroken(), codes: [null] } as Entry, refused('invalid-event')],
      ['rejection'],
    ],
    [
      'counts that do not add up',
      {},
      [sentBroken(), refused('invalid-event', { records: 2, accepted: 0, duplicates: 0, rejected: 1 })],
      ['rejection'],
    ],
    [
      'a stream that says too much was committed',
      {},
      [sentBroken(), refused('invalid-event', { records: 1, accepted: 0, duplicates: 0, rejected: 1 }, 2)],
      ['rejection'],
    ],
  ];

  const history: Case[] = [
    ['an event that is not settled', north({ status: 'PUBLISHED' }), [], ['unsettled']],
    ['a generation without success', { ...north({ attempts: [] }), ...withoutUsage }, [], ['unsettled']],
    [
      'two successes of one generation',
      north({ attempts: [attempt(), attempt({ dispatchNo: 2 })] }),
      [],
      ['doubled', 'attempts'],
    ],
    ['a gap in the attempts', north({ attempts: [attempt({ attemptNumber: 2 })] }), [], ['attempts']],
    ['a retry before its time', { stored: [hurried(), storedAs(DELIVERED)] }, [], ['attempts']],
    ['a generation without a replay', { ...north(inGeneration2()), ...twiceUsed('north') }, [], ['operator']],
    ['two entries of one dispatch', north({ entries: [outboxEntry(), outboxEntry({ id: '2' })] }), [], ['doubled']],
    ['a dead letter of what may pass', north(deadAtOnce()), [], ['failed by an outage']],
    ['an attempt that an outage used up', north({ attempts: failedOnce() }), [], ['failed by an outage']],
    [
      'an attempt that a delivery used up',
      { stored: [storedAs(NORTH), storedAs(DELIVERED, { attempts: failedOnce() })] },
      [],
      ['failed by an outage'],
    ],
    [
      'an attempt that says DLQ without a dead letter',
      north({
        attempts: [attempt({ status: 'DLQ', reasonCode: 'INVALID_PAYLOAD' })],
        entries: withCopy(),
        status: 'DLQ',
      }),
      [],
      ['dead letter', 'failed by an outage'],
    ],
    [
      'a dead letter without a copy for events.dlq',
      north(deadAtOnce([outboxEntry()])),
      [],
      ['dead letter', 'failed by an outage'],
    ],
    ['a failed delivery of a completed event', ofDelivered(failedDelivery()), [], ['dead letter']],
    [
      'a discarded delivery of a dead letter',
      ofDelivered({ ...failedDelivery(), status: 'DISCARDED' }, 'DLQ'),
      [],
      ['dead letter'],
    ],
    ['a dead letter without a failed delivery', ofDelivered(deliveryTo('all'), 'DLQ'), [], ['dead letter']],
  ];

  const deliveries: Case[] = [
    [
      'an event that the receiver never took',
      journalOf(...all, delivered({ status: 500 })),
      [],
      ['undelivered', 'repeated', 'undelivered'],
    ],
    ['a request that was never sent', journalOf(...all), [], ['undelivered', 'undelivered']],
    [
      'an event without its delivery',
      { stored: [storedAs(DELIVERED, { deliveries: [] })] },
      [],
      ['undelivered', 'repeated'],
    ],
    [
      'a delivery of an event that has not succeeded',
      { stored: [storedAs(DELIVERED, { attempts: [] })] },
      [],
      ['repeated'],
    ],
    [
      'a delivery to a destination that takes other events',
      ofDelivered(deliveryTo('all'), undefined, deliveryTo('orders')),
      [],
      ['repeated'],
    ],
    [
      'a backfill of what was delivered',
      ofDelivered(deliveryTo('all'), undefined, deliveryTo('all', undefined, { generation: 2, isBackfilled: true })),
      [delivered({ atMs: 3_900 })],
      ['repeated'],
    ],
    [
      'a delivery of a generation that only a backfill made',
      ofDelivered(deliveryTo('all', undefined, { isBackfilled: true })),
      [],
      ['undelivered'],
    ],
    [
      'a request to a paused destination',
      {},
      [{ atMs: 6_000, kind: 'paused', destination: 'all', surelyMs: 1_000, toMs: 5_500 }, delivered({ atMs: 4_000 })],
      ['repeated', 'repeated'],
    ],
    ['a delivery in a later generation', ofDelivered(deliveryTo('all', undefined, { generation: 2 })), [], ['doubled']],
    [
      'a delivery that stays open',
      ofDelivered(tried([429], { status: 'OPEN' })),
      [refusal(429)],
      ['unsettled', 'repeated'],
    ],
    [
      'no wrong tries of a refused delivery that was opened again and skipped, only that its destination was on',
      { ...ofDelivered(tried([422], { status: 'SKIPPED', tries: 0 })), ...journalOf(...all, refusal(422)) },
      [],
      ['undelivered'],
    ],
    [
      'a skipped delivery to a destination that was on',
      ofDelivered(deliveryTo('all', [], { status: 'SKIPPED' })),
      [],
      ['undelivered', 'repeated'],
    ],
    [
      'a status that counts as accepted',
      { ...ofDelivered(deliveryTo('all', [deliveryAttempt({ statusCode: 500 })])), ...journalOf(...all, refusal(500)) },
      [],
      ['failed by an outage', 'undelivered'],
    ],
    [
      'a gap in the attempts',
      ofDelivered(deliveryTo('all', [deliveryAttempt({ attemptNumber: 2 })])),
      [],
      ['attempts'],
    ],
    [
      'a count that is not that of the attempts',
      ofDelivered(deliveryTo('all', undefined, { attempts: 2 })),
      [],
      ['attempts'],
    ],
    ['an attempt after the success', ofDelivered(tried([204, 204])), [delivered()], ['repeated', 'attempts']],
    ['a retry before its time', ofDelivered(tried([500, 204], { gapMs: 100 })), [refusal(500)], ['attempts']],
    [
      'a retry before the time in Retry-After',
      ofDelivered(tried([429, 204], { gapMs: 900, tries: 1 })),
      [refusal(429)],
      ['attempts'],
    ],
    [
      'a delivery that shows another reason than that of its last attempt',
      ofDelivered(deliveryTo('all', undefined, { reasonCode: 'HTTP_5XX' })),
      [],
      ['attempts'],
    ],
    ['a retry that did not use up a try', ofDelivered(tried([500, 204], { tries: 1 })), [refusal(500)], ['attempts']],
    [
      'a delivery that was given up early',
      ofDelivered(tried([500], { status: 'FAILED', exhausted: true })),
      [refusal(500)],
      ['failed by an outage', 'repeated'],
    ],
    [
      'a delivery that failed for what may pass',
      ofDelivered(tried([500], { status: 'FAILED' })),
      [refusal(500)],
      ['failed by an outage', 'repeated'],
    ],
    ['an attempt that an outage used up', ofDelivered(tried([null, 204])), [], ['failed by an outage']],
    ['a delivery that was repeated without a fault', {}, [delivered({ atMs: 1_950 })], ['repeated']],
    ['a delivery under another id', journalOf(...all, delivered({ webhookId: 'another' })), [], ['doubled']],
    [
      'a delivery with another payload',
      journalOf(...all, delivered({ body: textOf(DELIVERED, {}, '{}') })),
      [],
      ['changed'],
    ],
    [
      'a delivery with another field',
      journalOf(...all, delivered({ body: textOf(DELIVERED, { source: 'x' }) })),
      [],
      ['changed'],
    ],
    ['a delivery that cannot be verified', journalOf(...all, delivered({ unverifiedBy: ['svix'] })), [], ['unsigned']],
    ["a delivery of another tenant's event", {}, [delivered({ name: NORTH })], ['changed']],
    [
      'a delivery to a destination that is off',
      {},
      [switched(false, 500), delivered({ destination: 'on-and-off', name: 'switched-3-0', atMs: 4_000 })],
      ['changed', 'repeated'],
    ],
  ];

  const usage: Case[] = [
    ['an effect that happened twice', twiceUsed('north'), [], ['usage']],
    ['an effect that did not happen', withoutUsage, [], ['usage']],
    [
      'bytes that were not sent',
      { usage: evidence().usage.map((row) => ({ ...row, bytes: 101 })) },
      [],
      ['usage', 'usage'],
    ],
  ];

  const metrics: Case[] = [
    [
      'a counter that counts too much',
      {},
      [scraped('api-0', 1, { 'streamforge_ingest_total{source="single",status="accepted"}': 3 })],
      ['metrics'],
    ],
    ['a counter that counts too little', {}, [started('api-0', 1), scraped('api-0', 1, {})], ['metrics']],
    ['attempts that were not counted', { stored: withWorker(7) }, [scraped('worker-0', 7, {})], ['metrics']],
    ['a gauge that is never right', { wrongGauges: ['dlq_size'] }, [], ['metrics']],
  ];

  const operators: Case[] = [
    ['a replay that was answered and is gone', { audit: [audited()] }, [operator()], ['lost']],
    ['a replay that never ends', { replays: [replayed('RUNNING')], audit: [audited()] }, [operator()], ['unsettled']],
    ['a replay that nobody asked for', { replays: [replayed('DONE')] }, [], ['operator']],
    ['a change that is not in the audit', { replays: [replayed('DONE')] }, [operator()], ['operator']],
    [
      'a change that was answered otherwise',
      { replays: [replayed('DONE')], audit: [audited({ matched: 2 })] },
      [operator()],
      ['operator'],
    ],
    [
      'a retry that was answered 503 and carried out',
      { audit: [audited()] },
      [operator({ action: 'dlq.retry', status: 503, body: {} })],
      ['operator'],
    ],
    ['a replay that was answered 500', {}, [operator({ status: 500, body: {} })], ['strange answer']],
    [
      'two actions for requests with the same key',
      { audit: [audited(), { ...audited(), correlationId: 'operator-1' }] },
      [retryOf('operator-0', { status: undefined }), retryOf('operator-1')],
      ['operator'],
    ],
    [
      'another answer to a request with the same key',
      { audit: [audited()] },
      [retryOf('operator-0'), retryOf('operator-1', { body: { matched: 2 } })],
      ['operator'],
    ],
    [
      'a backfill that was answered and is gone',
      { audit: [audited()] },
      [operator({ action: 'destination.backfill' })],
      ['lost'],
    ],
    ['an event that nobody gave up', { ...north(givenUp()), ...withoutUsage, deadLetterCopies: [] }, [], ['operator']],
  ];

  const rest: Case[] = [
    ['what is left open', { leftovers: { 'open outbox entries': 1 } }, [], ['left over']],
    ['a message in events.dlq that is nobody’s', { deadLetterCopies: ['x'] }, [], ['dead letter']],
    ['a parked message that nobody has forged', { parkedMessages: ['x'] }, [forged('y')], ['left over']],
    ['a parked bundle of which nobody has forged an event', { parkedMessages: ['x z'] }, [forged('y')], ['left over']],
    ['a parked bundle with a forged event', { parkedMessages: ['x y z'] }, [forged('y')], []],
    ['a parked forgery, twice', { parkedMessages: ['x', 'x'] }, [forged('x')], []],
    ['a repair where nothing was lost', north({ entries: repaired() }), [], ['repaired']],
    [
      'a repair that no fault explains',
      north({ entries: repaired() }),
      fault('kill', 'worker-0', 50_000, 51_000),
      ['repaired'],
    ],
    ['an answer that no outage explains', {}, [strange()], ['strange answer']],
    ['a process that fell over', {}, [{ atMs: 1, kind: 'crashed', process: 'api-0', output: '' }], ['crashed']],
    ['a process that does not end as it was asked', {}, [ended(1)], ['shutdown']],
    [
      'leases of publishers that have ended',
      {},
      [{ atMs: 9_000, kind: 'leases left', acquiredMs: [8_000] }],
      ['shutdown'],
    ],
    [
      'a client that gets no answer',
      {},
      [{ atMs: 1, kind: 'given up', what: 'single', names: [NORTH] }],
      ['strange answer'],
    ],
  ];

  const groups: [of: string, rules: readonly Rule[], cases: readonly Case[]][] = [
    ['identity', [checkAcknowledged, checkIdentity], identity],
    ['fields', [checkFields, checkAnswers], fields],
    ['rejections', [checkRejections], rejections],
    ['history', [checkHistory, checkFailures], history],
    ['deliveries', [checkDeliveries], deliveries],
    ['usage', [checkUsage], usage],
    ['metrics', [checkMetrics, checkRest], metrics],
    ['operators', [checkOperators], operators],
    ['rest', [checkRest, checkReconciler, checkConduct], rest],
  ];

  describe.each(groups)('on %s', (_of, rules, cases) => {
    it.each(cases)('notices %s', (_, change, more, expected) => {
      expect(found(rules, change, more)).toEqual(expected);
    });
  });

  it.each<Case>([
    [
      'an attempt to deliver without a response',
      ofDelivered(tried([null, 204])),
      fault('stop', 'worker-0', 1_000, 2_000),
      [],
    ],
    [
      'a backfill of what was refused',
      ofDelivered(
        tried([422], { status: 'FAILED' }),
        undefined,
        deliveryTo('all', undefined, { generation: 2, isBackfilled: true }),
      ),
      [refusal(422)],
      [],
    ],
    ['a repeated delivery', {}, [delivered({ atMs: 1_950 }), ...fault('kill', 'worker-0', 1_000, 2_000)], []],
    ['two messages of one dispatch', {}, [delivered({ atMs: 30_000 }), ...fault('cut', 'rabbitmq', 1_200, 1_300)], []],
    ['a repair', north({ entries: repaired() }), fault('wipe', 'rabbitmq', 1_200, 5_000), []],
    [
      'a lease',
      {},
      [{ atMs: 9_000, kind: 'leases left', acquiredMs: [8_000] }, ...fault('cut', 'postgres', 8_500, 8_500)],
      [],
    ],
    ['an exit code', {}, [ended(1), ...fault('stop', 'postgres', 8_000, 12_000)], []],
    [
      'a cancelled attempt',
      north({ attempts: failedOnce('canceling statement due to user request') }),
      fault('cancel', 'postgres', 2_000, 3_000),
      [],
    ],
    [
      'an attempt that deadlocks used up',
      north({ attempts: failedOnce('deadlock detected') }),
      fault('deadlock', 'postgres', 1_000, 2_000),
      [],
    ],
  ])('lets a fault explain %s', (_, change, more, expected) => {
    expect(found([checkDeliveries, checkFailures, checkReconciler, checkConduct], change, more)).toEqual(expected);
  });

  it('allows deliveries soon after a destination is disabled, and after a request that failed to disable it', () => {
    const late = delivered({ destination: 'on-and-off', name: 'switched-3-0', atMs: 4_000 });
    const slow = operator({ action: 'destination.switch', request: { enabled: false }, status: 200, sentMs: 500 });
    expect(found([checkDeliveries], {}, [slow, late])).toEqual(['changed']);
    expect(found([checkDeliveries], {}, [{ ...slow, atMs: 550, status: 503 } as Entry, late])).toEqual(['changed']);
  });

  it('allows deliveries while the request to enable a destination is under way', () => {
    const between = delivered({ destination: 'on-and-off', name: 'switched-3-0', atMs: 4_000 });
    const slow = { ...switched(true, 3_900), atMs: 4_500 };
    expect(found([checkDeliveries], {}, [switched(false, 500), between, slow])).toEqual(['changed']);
    expect(found([checkDeliveries], {}, [switched(false, 500), between, switched(true, 4_100)])).toEqual([
      'changed',
      'repeated',
    ]);
  });

  it('has nothing against retries, and a delivery that was opened again after its refusal', () => {
    expect(
      found([checkDeliveries], ofDelivered(tried([429, 500, 204], { tries: 2 })), [refusal(429), refusal(500)]),
    ).toEqual([]);
    expect(found([checkDeliveries], ofDelivered(tried([422, 204], { tries: 1 })), [refusal(422)])).toEqual([]);
  });

  it('allows a request that timed out although the receiver answered', () => {
    const late = ofDelivered(tried([null, 204], { reasonCode: 'TIMEOUT' }));
    expect(found([checkDeliveries], late, [delivered({ atMs: 3_000 })])).toEqual([]);
  });

  it('takes a request without an answer for the attempt that failed, not for the one that timed out', () => {
    const { log, ...delivery } = tried([null, null, 204], { reasonCode: 'TIMEOUT' });
    const failed = (reasonCode: string): Partial<Evidence> =>
      ofDelivered({ ...delivery, log: log.map((attempt, i) => (i === 1 ? { ...attempt, reasonCode } : attempt)) });
    const received = [delivered({ status: undefined, atMs: 3_000 }), delivered({ atMs: 4_100 })];
    expect(found([checkDeliveries], failed('CONNECTION_FAILED'), received)).toEqual([]);
    const again = delivered({ atMs: 4_200 });
    expect(found([checkDeliveries], failed('CONNECTION_FAILED'), [...received, again])).toEqual(['repeated']);
    const silent = delivered({ status: undefined, atMs: 3_500 });
    expect(found([checkDeliveries], failed('TIMEOUT'), [...received, silent])).toEqual(['repeated']);
  });

  it('allows skipped deliveries around the time in which a destination was disabled', () => {
    const off = [switched(false, 20_000), switched(true, 21_000)];
    const skippedAt = (settledMs: number, ...faults: Entry[]): string[] => {
      const skipped = deliveryTo('on-and-off', [], { status: 'SKIPPED', settledMs });
      const event = storedAs('switched-3-0', { tenant: 'switched', type: 'van.moved', deliveries: [skipped] });
      return found([checkDeliveries], { stored: [event], ...journalOf(...off, ...faults) }, []);
    };
    expect(skippedAt(20_500)).toEqual([]);
    expect(skippedAt(21_500)).toEqual(['undelivered']);
    expect(skippedAt(5_000)).toEqual(['undelivered']);
    expect(skippedAt(5_000, ...fault('deadlock', 'postgres', 6_000, 15_900))).toEqual([]);
  });

  it('lets no fault explain a repair in a run without reconciler', () => {
    const change = { ...north({ entries: repaired() }), reconciles: false };
    expect(found([checkReconciler], change, fault('kill', 'rabbitmq', 1_200, 5_000))).toEqual(['repaired']);
  });

  it('counts lines of a stream that broke off as acknowledged', () => {
    const told = [{ record: 1, name: 'north-0-9', outcome: 'accepted' as const, fields: { id: 'x' } }];
    expect(breaches({}, [{ atMs: 1, kind: 'unanswered', request: 0, reason: '', told }])).toContain('lost');
  });
});

function gone(): Evidence['readBack'] {
  return new Map([...evidence().readBack, [NORTH, { httpStatus: 404, text: '{}' }] as const]);
}

function poisonType(): Partial<Evidence> {
  const expected = new Map([...evidence().sent, [NORTH, planned(NORTH, { type: 'poison.always' })] as const]);
  const read = new Map([...evidence().readBack, [NORTH, readAs(NORTH, { type: 'poison.always' }, 'DLQ')] as const]);
  return { sent: expected, readBack: read };
}

function duplicate(told: object, request = 0): Entry {
  return answered(NORTH, { outcome: 'duplicate', ...told }, { status: 200, request });
}

function sized(bytes: number): Partial<Evidence> {
  return { usage: evidence().usage.map((row) => (row.tenant === 'north' ? { ...row, bytes } : row)) };
}

function sentBroken(): Entry {
  return sent(NORTH, { request: 5, codes: ['invalid-event'] });
}

function refused(
  code: string,
  summary?: { records: number; accepted: number; duplicates: number; rejected: number },
  last?: number,
): Entry {
  const told = { outcome: 'rejected' as const, code, fields: {} };
  return answered(NORTH, told, { request: 5, status: 400, summary, lastCommittedRecord: last });
}

function failedOnce(message = 'it broke') {
  const failed = attempt({ status: 'RETRY', reasonCode: 'HANDLER_ERROR', message });
  return [failed, attempt({ attemptNumber: 2, dispatchNo: 2, atMs: 9_000 })];
}

function refusal(status: number): Entry {
  return delivered({ status, atMs: 1_800 });
}

/** A delivery whose attempts got these statuses, by default each 1.1 s after the one before it. */
function tried(
  statuses: readonly (number | null)[],
  {
    gapMs = 1_100,
    reasonCode = 'CONNECTION_FAILED',
    ...fields
  }: Partial<StoredDelivery> & { gapMs?: number; reasonCode?: string } = {},
): StoredDelivery {
  const log = statuses.map((statusCode, i) =>
    deliveryAttempt({
      attemptNumber: i + 1,
      statusCode,
      reasonCode:
        statusCode === null
          ? reasonCode
          : statusCode < 300
            ? 'PROCESSED'
            : statusCode === 429
              ? 'HTTP_429'
              : `HTTP_${statusCode < 500 ? 4 : 5}XX`,
      atMs: 1_900 + i * gapMs,
    }),
  );
  return deliveryTo('all', log, fields);
}

function failedDelivery(): StoredDelivery {
  return tried([422], { status: 'FAILED' });
}

function ofDelivered(delivery: StoredDelivery, status = 'COMPLETED', ...more: StoredDelivery[]): Partial<Evidence> {
  return { stored: [storedAs(NORTH), storedAs(DELIVERED, { status, deliveries: [delivery, ...more] })] };
}

function hurried() {
  const failed = attempt({ status: 'RETRY', reasonCode: 'HANDLER_ERROR', message: 'poison', atMs: 1_850 });
  const attempts = [failed, attempt({ attemptNumber: 2, dispatchNo: 2, atMs: 1_950 })];
  return storedAs(NORTH, { type: 'poison.switched', attempts });
}

function inGeneration2() {
  return { generation: 2, attempts: [attempt(), attempt({ generation: 2, dispatchNo: 2, atMs: 4_000 })] };
}

function switched(enabled: boolean, sentMs: number): Entry {
  return operator({ action: 'destination.switch', request: { enabled }, status: 200, sentMs, atMs: sentMs + 50 });
}

function scraped(process: string, pid: number, values: Record<string, number>): Entry {
  return { atMs: 20_000, kind: 'scraped', process, pid, values };
}

function started(process: string, pid: number): Entry {
  return { atMs: 1, kind: 'started', process, pid, url: 'http://api-0' };
}

function withWorker(pid: number) {
  return [
    storedAs(NORTH, { attempts: [attempt({ worker: `host:${pid}` })] }),
    storedAs(DELIVERED, { attempts: [attempt({ worker: 'host:8' })] }),
  ];
}

function audited(counts: Record<string, number> = { matched: 1 }) {
  return { action: 'replay', correlationId: 'operator-0', counts };
}

function retryOf(id: string, fields: Partial<EntryOf<'operator'>> = {}): Entry {
  return operator({ action: 'dlq.retry', id, key: 'key-0', body: { matched: 1 }, ...fields });
}

function replayed(status: string) {
  return { id: 'r', status, mode: 'reprocess', correlationId: 'operator-0' };
}

function givenUp() {
  const failed = attempt({ status: 'DLQ', reasonCode: 'HANDLER_ERROR' });
  return {
    status: 'DISCARDED',
    attempts: [failed],
    deadLetter: { reasonCode: 'HANDLER_ERROR', resolution: 'DISCARDED' },
  };
}

function deadAtOnce(entries = withCopy()) {
  const failed = attempt({ status: 'DLQ', reasonCode: 'HANDLER_ERROR', message: 'poison' });
  const deadLetter = { reasonCode: 'HANDLER_ERROR', resolution: null };
  return { type: 'poison.always', status: 'DLQ', attempts: [failed], entries, deadLetter };
}

/** The entries of a dead letter whose last attempt was in dispatch `last`. */
function withCopy(last = 1) {
  return [outboxEntry(), outboxEntry({ destination: 'dlq', dispatchNo: last + 1 })];
}

function repaired() {
  return [outboxEntry(), outboxEntry({ id: '2', dispatchNo: 2, createdMs: 6_000, closedMs: 6_100 })];
}

function strange(): Entry {
  return { atMs: 1, kind: 'strange', request: 0, status: 500, text: 'internal', told: [] };
}

function ended(code: number): Entry {
  return { atMs: 10_000, kind: 'ended', process: 'worker-0', code, tookMs: 500 };
}
