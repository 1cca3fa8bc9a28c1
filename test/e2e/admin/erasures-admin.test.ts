import { admin, type AuditPage, type ReplayProgress, type ReplayStarted } from '../../support/admin';
import { getEvent, postEvent, postStream } from '../../support/e2e-http';
import { erased, readErasure, startErasure } from '../../support/erasures';
import { eventually } from '../../support/eventually';
import { tablesWith } from '../../support/everything-stored';
import { useApp } from '../../support/fixtures/app';
import { givenDestination } from '../../support/receivers/destinations';
import { answer, TestReceiver } from '../../support/receivers/receiver';
import { textOfRedis } from '../../support/redis-text';
import { givenSource, type GivenSource } from '../../support/sources';
import { sendWebhook, SIGNED_BODY, WEBHOOK_SECRET } from '../../support/sources/webhooks';

const SECRET = 'Ada Lovelace, Marylebone';
const SUBJECT = 'customer-17';
const TENANT = 'acme';
const EVENTS = 2_000;
const EVERY = 100;
const REDIS_URL = process.env.TEST_REDIS_URL as string;

const line = (n: number): string => {
  const isHers = n % EVERY === 0;
  const payload = isHers ? { name: SECRET, n } : { n };
  const subject = isHers ? SUBJECT : `customer-${1_000 + n}`;
  return JSON.stringify({ eventId: `e-${n}`, eventType: isHers ? 'order.paid' : 'order.seen', subject, payload });
};

describe('an erasure', () => {
  const api = useApp({ REDIS_URL, DESTINATIONS_ALLOW_PRIVATE: 'true', DELIVERY_RETRY_SCHEDULE_SECONDS: '3600' });
  let receiver: TestReceiver;
  let source: GivenSource;
  const idOf: Record<string, string> = {};

  beforeAll(async () => {
    receiver = await TestReceiver.start();
    receiver.reaction = (response, received) => answer(400, {}, `cannot take ${received.body}`)(response, received);
    await givenDestination(api.url, { tenantId: TENANT, url: receiver.url, eventTypes: ['order.paid'] });
    source = await givenSource(api.app, api.pool, {
      ...{ tenantId: TENANT, name: 'till', verification: SIGNED_BODY, secrets: [WEBHOOK_SECRET] },
      mapping: { eventType: '/type', subject: '/customer', eventId: '/id' },
    });
  });
  afterAll(() => receiver.stop());

  /** Sends events, rejections and requests of a source, all of which mention the subject and quote the secret. */
  const send = async (): Promise<void> => {
    const lines = Array.from({ length: EVENTS }, (_, n) => line(n));
    const broken = `{"eventId":"broken","eventType":"order.paid","subject":"${SUBJECT}","payload":"${SECRET}`;
    const stream = await postStream(api.url, TENANT, [...lines, broken].join('\n'));
    expect(stream.body.summary).toMatchObject({ accepted: EVENTS, rejected: 1 });
    const conflict = line(0).replace('"n":0', '"n":"other"');
    expect((await postEvent(api.url, TENANT, conflict)).status).toBe(409);
    const url = api.url + source.path;
    const sent = await sendWebhook(url, JSON.stringify({ id: 'w-1', type: 'till', customer: SUBJECT, name: SECRET }));
    expect(sent.body.status).toBe('accepted');
    idOf.webhook = sent.body.id;
    const refused = await sendWebhook(url, JSON.stringify({ customer: SUBJECT, name: SECRET }));
    expect(refused.body.status).toBe('rejected');
    await eventually(async () => {
      const tables = await tablesWith(api.pool, SECRET);
      expect(tables).toMatchObject({ delivery_attempts: EVENTS / EVERY, rejections: 3, source_samples: 2 });
    }, 60_000);
    const read = await getEvent(api.url, TENANT, 'e-0');
    idOf.first = read.body.id;
  };

  it('of one subject removes what every table, cache and list has of it, as its dry run says', async () => {
    await send();
    const order = { tenantId: TENANT, subject: SUBJECT };
    const { body: preview } = await startErasure(api.url, { ...order, dryRun: true });
    expect(preview).toMatchObject({ accepted: true, actionId: null, erasureId: null, dryRun: true, more: false });
    expect(preview.counts).toMatchObject({ events: EVENTS / EVERY + 1, requests: 1, rejections: 3, samples: 2 });
    expect(preview.counts.deliveries).toBe(EVENTS / EVERY);

    const done = await erased(api.pool, api.url, { ...order, note: 'she asked for it' });
    expect(done.counts).toEqual(preview.counts);
    expect(done.statistics).toBe('RENEWED');
    await expect(tablesWith(api.pool, SECRET)).resolves.toEqual({});
    await expect(textOfRedis(REDIS_URL)).resolves.not.toContain(SECRET);
    const { rows } = await api.pool.query<{ others: number }>(
      `select count(*)::integer as others from events where erased_at is null and payload::text <> 'null'`,
    );
    expect(rows[0]?.others).toBe(EVENTS - EVENTS / EVERY);
  });

  it('leaves the event without its payload, and its facts', async () => {
    const { body } = await getEvent(api.url, TENANT, 'e-0');
    expect(body).toMatchObject({ id: idOf.first, subject: SUBJECT, payload: null, status: 'COMPLETED' });
    expect(body.erasedAt).toMatch(/^20/);
    expect(body.deliveries).toMatchObject([{ status: 'SKIPPED', lastReasonCode: 'ERASED' }]);
    const other = await getEvent(api.url, TENANT, 'e-1');
    expect(other.body).not.toHaveProperty('erasedAt');
    const raw = await admin<{ code: string; detail: string }>(api.url, `events/${idOf.webhook}/raw`);
    expect([raw.status, raw.body.code, raw.body.detail]).toEqual([404, 'raw-not-found', 'The request was erased.']);
  });

  it('is in the timeline of the event', async () => {
    const { body } = await admin<{ entries: { kind: string; text: string; note: string }[] }>(
      api.url,
      `events/${idOf.first}/timeline`,
    );
    expect(body.entries).toContainEqual(
      expect.objectContaining({ kind: 'action', text: 'The payload was erased.', note: 'she asked for it' }),
    );
    expect(JSON.stringify(body)).not.toContain(SECRET);
  });

  it('leaves a resend a duplicate', async () => {
    const again = await postEvent(api.url, TENANT, line(0));
    expect([again.status, again.body.id]).toEqual([200, idOf.first]);
    await expect(tablesWith(api.pool, SECRET)).resolves.toEqual({});
  });

  it('is no source of replays, tests and retries', async () => {
    const ids = [idOf.first];
    const replay = { tenantId: TENANT, eventIds: ids, mode: 'reprocess', dryRun: true };
    const answered = await admin<{ preview: { skippedByReason: object } }>(api.url, 'replay', replay);
    expect(answered.body.preview.skippedByReason).toEqual({ erased: 1 });
    const refused = { status: 409, body: { code: 'event-erased', retryable: false } };
    const named = { tenantId: TENANT, eventIds: ids };
    const destinations = await admin<{ destinations: { id: string }[] }>(api.url, `destinations?tenantId=${TENANT}`);
    const test = `destinations/${destinations.body.destinations[0]?.id}/test`;
    await expect(admin(api.url, 'replay', { ...replay, dryRun: false })).resolves.toMatchObject(refused);
    await expect(admin(api.url, 'dlq/retry', named)).resolves.toMatchObject(refused);
    await expect(admin(api.url, 'deliveries/retry', named)).resolves.toMatchObject(refused);
    await expect(admin(api.url, `events/${idOf.first}/revisions`, { payload: 1 })).resolves.toMatchObject(refused);
    for (const eventId of [idOf.first, 'e-0'])
      await expect(admin(api.url, test, { eventId })).resolves.toMatchObject(refused);
  });

  it('is skipped by actions on several events, which say so', async () => {
    const eventIds = [idOf.first, 'e-1'];
    const named = { tenantId: TENANT, eventIds };
    const retried = await admin<object>(api.url, 'dlq/retry', named);
    expect(retried.body).toMatchObject({ matched: 0, retried: 0, skipped: 0, erased: 1 });
    const counted = await admin<object>(api.url, 'deliveries/retry', { ...named, dryRun: true });
    expect(counted.body).toMatchObject({ matched: 0, retried: 0, erased: 1 });
    const replayed = await admin<ReplayStarted>(api.url, 'replay', { ...named, mode: 'republish' });
    expect(replayed.body).toMatchObject({ matched: 2, replayed: 1, skipped: 1 });
    const { body } = await admin<ReplayProgress>(api.url, `replays/${replayed.body.replayId}`);
    expect(body.skippedByReason).toEqual({ erased: 1 });
    const all = await admin<{ retried: number; erased: number }>(api.url, 'dlq/retry', { tenantId: TENANT });
    expect(all.body).toMatchObject({ retried: 0, erased: 0 });
  });

  it('leaves its rejections without bytes, discarded', async () => {
    const { body } = await admin<{ rejections: { id: string; status: string; message: string; erasedAt: string }[] }>(
      api.url,
      `rejections?tenantId=${TENANT}`,
    );
    expect(body.rejections).toHaveLength(3);
    for (const { status, message, erasedAt } of body.rejections) {
      expect([status, message, typeof erasedAt]).toEqual(['DISCARDED', '[erased]', 'string']);
    }
    const one = await admin<{ rawText: string }>(api.url, `rejections/${body.rejections[0]?.id}`);
    expect(one.body.rawText).toBe('');
  });

  it('is recorded with its counts, and can be followed as an action', async () => {
    const { body } = await admin<AuditPage>(api.url, 'audit?limit=500');
    const entry = body.entries.find(({ action }) => action === 'erasure');
    expect(entry).toMatchObject({ filter: { tenantId: TENANT, subject: SUBJECT }, note: 'she asked for it' });
    expect(entry?.counts.events).toBe(EVENTS / EVERY + 1);
    const action = await admin<object>(api.url, `actions/${entry?.id}`);
    expect(action.body).toMatchObject({ action: 'erasure', status: 'DONE', matched: EVENTS / EVERY + 1 });
    const list = await admin<{ erasures: object[] }>(api.url, `erasures?tenantId=${TENANT}`);
    expect(list.body.erasures).toMatchObject([{ erasureId: entry?.id, subject: SUBJECT, eventIds: null }]);
  });

  it('of named events, or of all before a time, erases these', async () => {
    const order = { tenantId: TENANT, eventIds: ['e-1', idOf.first, 'unknown'] };
    const { body: preview } = await startErasure(api.url, { ...order, dryRun: true });
    expect(preview).toMatchObject({ counts: { events: 1 }, notFound: ['unknown'], notFoundCount: 1 });
    const named = await erased(api.pool, api.url, order);
    expect(named.counts).toMatchObject({ events: 1 });
    const before = await getEvent(api.url, TENANT, 'e-2');
    expect(before.body.payload).toEqual({ n: 2 });
    const all = await erased(api.pool, api.url, { tenantId: TENANT, before: new Date().toISOString() });
    expect(all.counts).toMatchObject({ events: EVENTS - EVENTS / EVERY - 1 });
    expect((await getEvent(api.url, TENANT, 'e-2')).body.payload).toBeNull();
  }, 120_000);

  it('that is cancelled before it begins erases nothing', async () => {
    const sent = await postEvent(api.url, 'other', line(0));
    const { body } = await startErasure(api.url, { tenantId: 'other', subject: SUBJECT });
    const cancelled = await admin<{ status: string }>(api.url, `actions/${body.actionId}/cancel`, {});
    expect([cancelled.status, cancelled.body.status]).toEqual([202, 'CANCELLED']);
    await expect(readErasure(api.url, body.erasureId)).resolves.toMatchObject({ status: 'CANCELLED' });
    expect((await getEvent(api.url, 'other', sent.body.id)).body.payload).toMatchObject({ name: SECRET });
  });

  it.each([
    [{}],
    [{ subject: SUBJECT, eventIds: ['e-1'] }],
    [{ before: '2026-01-01T00:00:00Z', subject: SUBJECT }],
    [{ subject: '' }],
    [{ eventIds: [] }],
    [{ before: 'yesterday' }],
    [{ subject: SUBJECT, all: true }],
  ])('of %j is refused', async (selection) => {
    const { status, text } = await startErasure(api.url, { tenantId: TENANT, ...selection });
    expect([status, text]).toEqual([400, expect.stringContaining('invalid-request')]);
  });
});
