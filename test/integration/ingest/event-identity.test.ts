import { prepareStructured } from '../../../src/event/cloud-event/prepare-cloud-event';
import { derivedKey, eventIdKey } from '../../../src/event/identity/idempotency-key';
import type { ContentRules, PreparedEvent } from '../../../src/event/prepare-event';
import { storeBatch } from '../../../src/ingest/store/store-batch';
import { storeEvents } from '../../../src/ingest/store/store-batch.queries';
import { prepared, RULES } from '../../support/events';
import { useWriters } from '../../support/fixtures/writers';
import { countRows } from '../../support/rows';

const writers = useWriters();
const { store } = writers;

let nextSubject = 0;
let subject = '';
beforeEach(() => {
  subject = `s-${nextSubject++}`;
});

const BESIDE_LEGACY = { checksLegacyKeys: true };
const envelope = (eventId?: string, rules: Partial<ContentRules> = {}, fields: Record<string, unknown> = {}) =>
  prepared({ subject, ...(eventId === undefined ? {} : { eventId }), ...fields }, {}, rules);
const retried = (eventId?: string, rules: Partial<ContentRules> = {}) =>
  envelope(eventId, { ...BESIDE_LEGACY, ...rules });

interface CloudEventOptions extends Partial<ContentRules> {
  source?: string;
  data?: unknown;
  idempotencyKey?: string;
}
function cloudEvent(id: string, { source = '/a', data = 1, idempotencyKey, ...rules }: CloudEventOptions = {}) {
  const context = { tenantId: 'acme', correlationId: 'c', traceparent: undefined, idempotencyKey };
  const attributes = { specversion: '1.0', id, type: 't', source, subject, data };
  const made = prepareStructured(Buffer.from(JSON.stringify(attributes)), context, { ...RULES, ...rules });
  if ('rejection' in made) throw new Error(made.rejection.message);
  return made.prepared;
}

/** The same event with the keys of the earlier build: its content, and its own id whatever the source. */
function asBefore(event: PreparedEvent): PreparedEvent {
  const { tenantId, id, eventId } = event.event;
  const keyDigest =
    event.keyKind === 'explicit' ? event.keyDigest : derivedKey(tenantId, event.fingerprint, undefined, 'intent');
  const eventIdDigest = eventId === id ? undefined : eventIdKey(tenantId, eventId);
  return { ...event, keyDigest, eventIdDigest, legacy: undefined };
}

/** Stores an event as the earlier build does. */
async function givenStoredBefore(event: PreparedEvent): Promise<void> {
  await storeEvents(writers.pool, [asBefore(event)]);
  await writers.pool.query('update idempotency_keys set legacy = true where event_id = $1', [event.event.id]);
}

/** True when the earlier build would store the event: both of its keys are free. */
async function wouldBeStoredBefore(event: PreparedEvent): Promise<boolean> {
  const { keyDigest, eventIdDigest } = asBefore(event);
  const digests = [keyDigest, eventIdDigest].flatMap((digest) => (digest ? [`'\\x${digest}'`] : [])).join();
  return (await countRows(writers.pool, `idempotency_keys where digest in (${digests})`)) === 0;
}

describe("the producer's own id", () => {
  it('separates events with equal content', async () => {
    await expect(store(envelope('a'), envelope('b'))).resolves.toEqual(['accepted', 'accepted']);
    await expect(store(envelope('a'), envelope('b'))).resolves.toEqual(['duplicate', 'duplicate']);
  });

  it('separates an event from the same content without an id, in either order', async () => {
    await expect(store(envelope('with'), envelope())).resolves.toEqual(['accepted', 'accepted']);
    await expect(store(envelope(), envelope('with'))).resolves.toEqual(['duplicate', 'duplicate']);
    subject = 'without first';
    await expect(store(envelope())).resolves.toEqual(['accepted']);
    await expect(store(envelope('late'))).resolves.toEqual(['accepted']);
  });

  it('separates nothing without DEDUPE_INCLUDE_EVENT_ID', async () => {
    const intent = { DEDUPE_INCLUDE_EVENT_ID: false };
    await expect(store(envelope('x', intent))).resolves.toEqual(['accepted']);
    await expect(store(envelope('y', intent), envelope(undefined, intent))).resolves.toEqual([
      'duplicate',
      'duplicate',
    ]);
    await expect(store(envelope('x', intent, { payload: 'other' }))).resolves.toEqual(['event-id-conflict']);
  });

  it('of a CloudEvent is unique within its source, and apart from that of an envelope', async () => {
    const events = () => [cloudEvent('1'), cloudEvent('1', { source: '/b' }), envelope('1')];
    await expect(store(...events())).resolves.toEqual(['accepted', 'accepted', 'accepted']);
    await expect(store(...events())).resolves.toEqual(['duplicate', 'duplicate', 'duplicate']);
    await expect(store(cloudEvent('1', { data: 2 }))).resolves.toEqual(['event-id-conflict']);
  });

  it('is checked beside an explicit key', async () => {
    const keyed = (idempotencyKey: string, payload: number) =>
      prepared({ subject, eventId: 'beside', payload }, { idempotencyKey });
    await expect(store(keyed('k1', 1))).resolves.toEqual(['accepted']);
    await expect(store(keyed('k2', 1), keyed('k3', 2))).resolves.toEqual(['duplicate', 'event-id-conflict']);
  });
});

describe('a content key that events with ids have claimed, before DEDUPE_INCLUDE_EVENT_ID was set', () => {
  it('does not turn the same content without an id into a duplicate', async () => {
    await store(envelope('claimed', { DEDUPE_INCLUDE_EVENT_ID: false }));
    await expect(store(envelope(), envelope(), envelope('other'))).resolves.toEqual([
      'accepted',
      'duplicate',
      'accepted',
    ]);
    await expect(store(envelope())).resolves.toEqual(['duplicate']);
  });
});

describe('a key that an earlier build has stored', () => {
  it('counts for the same own id', async () => {
    await givenStoredBefore(envelope('same'));
    await expect(store(retried('same'))).resolves.toEqual(['duplicate']);
  });

  it('counts for the same content, if that event has no id', async () => {
    await givenStoredBefore(envelope());
    await expect(store(retried(), retried('new id'))).resolves.toEqual(['duplicate', 'duplicate']);
  });

  it('does not count for the same content, if that event has another id', async () => {
    await givenStoredBefore(envelope('its id'));
    const batch = () => [retried('mine'), retried('mine'), retried(), retried()];
    await expect(store(...batch())).resolves.toEqual(['accepted', 'duplicate', 'accepted', 'duplicate']);
    await expect(store(...batch())).resolves.toEqual(['duplicate', 'duplicate', 'duplicate', 'duplicate']);
  });

  it('counts whatever the ids, for an installation that keeps the old intent', async () => {
    await givenStoredBefore(envelope('first try'));
    const again = [retried('second try', { DEDUPE_INCLUDE_EVENT_ID: false }), cloudEvent('x')];
    await expect(store(...again)).resolves.toEqual(['duplicate', 'accepted']);
  });

  it('counts for a CloudEvent with the same id from the same source only', async () => {
    await givenStoredBefore(cloudEvent('ce'));
    await expect(store(cloudEvent('ce', BESIDE_LEGACY))).resolves.toEqual(['duplicate']);
    await expect(store(cloudEvent('ce', { data: 2, ...BESIDE_LEGACY }))).resolves.toEqual(['event-id-conflict']);
    const elsewhere = () => cloudEvent('ce', { source: '/b', ...BESIDE_LEGACY });
    await expect(store(elsewhere())).resolves.toEqual(['accepted']);
    await expect(store(elsewhere())).resolves.toEqual(['duplicate']);
  });

  it('counts beside an explicit key', async () => {
    await givenStoredBefore(cloudEvent('keyed'));
    const again = cloudEvent('keyed', { idempotencyKey: 'new key', ...BESIDE_LEGACY });
    await expect(store(again)).resolves.toEqual(['duplicate']);
  });

  it('is not taken for a key of this build that happens to be the same', async () => {
    await store(envelope('7', {}, { source: '/a' }));
    await expect(store(cloudEvent('7', BESIDE_LEGACY))).resolves.toEqual(['accepted']);
    await expect(store(retried())).resolves.toEqual(['accepted']);
    await expect(store(retried('8'))).resolves.toEqual(['accepted']);
  });
});

describe('an event that this build stores while an earlier build still runs', () => {
  it('is a duplicate for that build too', async () => {
    const events = [retried('e'), cloudEvent('handed over', BESIDE_LEGACY)];
    subject = 'without an id';
    events.push(retried());
    await expect(store(...events)).resolves.toEqual(['accepted', 'accepted', 'accepted']);
    for (const event of events) await expect(wouldBeStoredBefore(event)).resolves.toBe(false);
  });

  it('does not claim anything when it is a duplicate itself', async () => {
    await store(cloudEvent('once'));
    const keys = await countRows(writers.pool, 'idempotency_keys');
    const [result] = await storeBatch(writers.pool, [cloudEvent('once', BESIDE_LEGACY)]);
    expect(result?.kind).toBe('duplicate');
    await expect(countRows(writers.pool, 'idempotency_keys')).resolves.toBe(keys);
  });

  it('leaves the content to others: the key that it claims for the earlier build counts for nobody else', async () => {
    const batch = () => [
      cloudEvent('left 1', BESIDE_LEGACY),
      prepared({ eventType: 't', subject, source: '/a', payload: 1 }, {}, BESIDE_LEGACY),
      cloudEvent('left 2', BESIDE_LEGACY),
    ];
    await expect(store(...batch())).resolves.toEqual(['accepted', 'accepted', 'accepted']);
    await expect(store(...batch())).resolves.toEqual(['duplicate', 'duplicate', 'duplicate']);
  });
});
