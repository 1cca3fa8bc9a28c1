import type { Evidence, StoredErasure, StoredEvent } from '../../verify/evidence/evidence';
import { checkErasures } from '../../verify/oracle/erasures';
import { examine } from '../../verify/oracle/oracle';
import type { Entry } from '../../verify/run/journal';
import {
  attempt,
  DELIVERED,
  delivered,
  deliveryAttempt,
  deliveryTo,
  evidence,
  fault,
  idOf,
  NORTH,
  operator,
  readAs,
  storedAs,
} from './given';

const ERASED_MS = 5_000;
const erased = { erasedMs: ERASED_MS, traces: [] };
const erasure = (fields: Partial<StoredErasure> = {}): StoredErasure => ({
  ...{ id: 'erasure', status: 'DONE', eventIds: [idOf(DELIVERED)], events: 1 },
  ...fields,
});
const asked = operator({
  action: 'erasure',
  id: 'operator-9',
  request: { tenantId: 'delivered', eventIds: [DELIVERED] },
  body: { erasureId: 'erasure' },
});
const audit = [{ action: 'erasure', correlationId: 'operator-9', counts: { events: 1 } }];

/** The event that was delivered, erased afterwards. */
function given(event: Partial<StoredEvent> = {}, change: Partial<Evidence> = {}, more: Entry[] = [asked]): Evidence {
  const { readBack } = evidence();
  const read = readAs(DELIVERED, {}, event.status ?? 'COMPLETED', 'null');
  const text = `${read.text.slice(0, -1)},"erasedAt":"2026-11-29T10:00:05.000Z"}`;
  return evidence(
    {
      stored: [storedAs(NORTH), storedAs(DELIVERED, { erased, ...event })],
      readBack: new Map([...readBack, [DELIVERED, { ...read, text }]]),
      erasures: [erasure()],
      audit,
      ...change,
    },
    more,
  );
}
const breaches = (of: Evidence): string[] => examine(of).violations.map(({ breach }) => breach);
const ofErasures = (of: Evidence): string[] => checkErasures(of).map(({ breach }) => breach);

describe('what the oracle says of erasures', () => {
  it('is nothing of an event that was processed, delivered and then erased', () => {
    expect(examine(given()).violations).toEqual([]);
  });

  it('is nothing of a delivery that was skipped while its worker was sending it', () => {
    const skipped = deliveryTo('all', [], { status: 'SKIPPED', reasonCode: 'ERASED', settledMs: ERASED_MS });
    expect(breaches(given({ deliveries: [skipped] }))).toEqual([]);
  });

  it('is nothing of a failed delivery, whose tries it then still counts', () => {
    const log = [deliveryAttempt({ reasonCode: 'HTTP_4XX', statusCode: 422 })];
    const skipped = deliveryTo('all', log, { status: 'SKIPPED', reasonCode: 'ERASED' });
    const journal = given().journal.map((entry) =>
      entry.kind === 'delivered' ? { ...entry, status: 422 } : entry,
    ) as Entry[];
    expect(breaches(given({ deliveries: [skipped] }, { journal }))).toEqual([]);
  });

  it('is nothing of an event that was not processed', () => {
    const usage = evidence().usage.filter(({ tenant }) => tenant === 'north');
    const journal = given().journal.filter(({ kind }) => kind !== 'delivered');
    const discarded = { status: 'DISCARDED', attempts: [], deliveries: [] };
    expect(breaches(given(discarded, { usage, journal }))).toEqual([]);
  });

  it.each<[string, Evidence, string]>([
    ['of which something is left', given({ erased: { ...erased, traces: ['payload'] } }), 'not erased'],
    ['that is read back with its payload', given({}, { readBack: evidence().readBack }), 'not erased'],
    ['that nobody asked for', given({}, { erasures: [] }, []), 'not erased'],
    ['that was asked for and not carried out', given({ erased: undefined }), 'not erased'],
    ['that is counted twice', given({}, { erasures: [erasure({ events: 2 })] }), 'operator'],
    ['that does not end', given({}, { erasures: [erasure({ status: 'RUNNING' })] }), 'unsettled'],
    ['that was answered and does not exist', given({}, {}, [operator({ action: 'erasure', body: {} })]), 'lost'],
    [
      'with a delivery that may be retried',
      given({ deliveries: [deliveryTo('all', [], { status: 'FAILED' })] }),
      'not erased',
    ],
    ['that is delivered later', given({}, {}, [asked, delivered({ atMs: 20_000 })]), 'not erased'],
  ])('an event %s', (_what, of, breach) => {
    expect(ofErasures(of)).toContain(breach);
  });

  it('a late delivery is explained by a fault', () => {
    const late = delivered({ atMs: 20_000 });
    expect(ofErasures(given({}, {}, [asked, late, ...fault('stop', 'worker-0', 4_000, 19_000)]))).toEqual([]);
  });

  it('an event that is neither done nor discarded', () => {
    const failing = attempt({ status: 'RETRY', reasonCode: 'HANDLER_ERROR', message: '[erased]' });
    expect(breaches(given({ status: 'RETRYING', attempts: [failing], deliveries: [] }))).toContain('unsettled');
  });
});
