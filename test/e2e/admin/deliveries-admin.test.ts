import { admin, type AuditPage } from '../../support/admin';
import { ask, createdOperator } from '../../support/access/access-admin';
import { deliveryRows, givenDelivery, givenTenantWithDestination, queueRows } from '../../support/deliveries';
import { expectProblem } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { givenEvents } from '../../support/rows';

const UNKNOWN = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a';
const FAILED = { status: 'FAILED', attempts: 3, lastReasonCode: 'HTTP_5XX', lastStatusCode: 503 } as const;

interface Listed {
  id: string;
  eventId: string;
  destinationId: string;
  generation: number;
  status: string;
}
interface Page {
  deliveries: Listed[];
  nextCursor: string | null;
}
interface Changed {
  accepted: boolean;
  actionId: string | null;
  matched: number;
  retried: number;
  discarded: number;
  skipped: number;
  dryRun: boolean;
}

describe('/v1/admin/deliveries', () => {
  const api = useApp({ APP_ROLE: 'api' });
  let tenantId: string;
  let destinationId: string;
  beforeEach(async () => {
    ({ tenantId, destinationId } = await givenTenantWithDestination(api.pool));
  });

  /** Deliveries of as many events, oldest first. Returns the ids of the events. */
  const given = async (...deliveries: Partial<Parameters<typeof givenDelivery>[1]>[]): Promise<string[]> => {
    const ids: string[] = [];
    for (const delivery of deliveries) {
      const [event] = await givenEvents(api.pool, 1, { subject: 'order-7', payload: { n: ids.length } }, tenantId);
      if (!event) throw new Error('no event was stored');
      await givenDelivery(api.pool, { destinationId, tenantId, eventId: event.id, ...delivery });
      ids.push(event.id);
    }
    return ids;
  };
  const list = async (query: string) => (await admin<Page>(api.url, `deliveries?${query}`)).body;
  const act = async (verb: 'retry' | 'discard', body: object, headers = {}) => {
    const answer = await admin<Changed>(api.url, `deliveries/${verb}`, body, headers);
    expect([answer.status, answer.text]).toEqual([202, answer.text]);
    return answer.body;
  };
  const statuses = async (): Promise<string[]> =>
    (await deliveryRows(api.pool)).filter((row) => row.tenantId === tenantId).map(({ status }) => status);

  it('lists deliveries with all of their fields, newest event first', async () => {
    const [failed, waiting, done] = await given(
      { ...FAILED, exhausted: true },
      { attempts: 1, lastReasonCode: 'TIMEOUT', dueInSeconds: 3_600 },
      { attempts: 1, lastReasonCode: 'PROCESSED', lastStatusCode: 204, status: 'DELIVERED' },
    );
    const { deliveries, nextCursor } = await list(`tenantId=${tenantId}`);
    const facts = { tenantId, type: 'order.paid', subject: 'order-7', destinationId, generation: 1, exhausted: false };
    const never = { nextAttemptAt: null, deliveredAt: null };
    const time = expect.stringMatching(/^\d{4}-.*Z$/) as string;
    expect(nextCursor).toBeNull();
    expect(deliveries).toEqual([
      {
        ...{ ...facts, ...never, id: done, eventId: done, status: 'DELIVERED', attempts: 1 },
        ...{ lastReasonCode: 'PROCESSED', lastStatusCode: 204, deliveredAt: time },
      },
      {
        ...{ ...facts, ...never, id: waiting, eventId: waiting, status: 'RETRYING', attempts: 1 },
        ...{ lastReasonCode: 'TIMEOUT', lastStatusCode: null, nextAttemptAt: time },
      },
      {
        ...{ ...facts, ...never, id: failed, eventId: failed, status: 'FAILED', attempts: 3 },
        ...{ lastReasonCode: 'HTTP_5XX', lastStatusCode: 503, exhausted: true },
      },
    ]);
  });

  it('pages through the list, and refuses a cursor of another list', async () => {
    const ids = await given({}, {}, {}, {}, {});
    const seen: string[] = [];
    let cursor: string | null = '';
    do {
      const page: Page = await list(
        `destinationId=${destinationId.toUpperCase()}&limit=2&cursor=${cursor}`.replace(/&cursor=$/, ''),
      );
      seen.push(...page.deliveries.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual([...ids].reverse());
    const events = await admin<{ nextCursor: string }>(api.url, `events?tenantId=${tenantId}&limit=1`);
    const refused = await admin(api.url, `deliveries?cursor=${events.body.nextCursor}`);
    expect(expectProblem(refused, 400, 'invalid-request').errors).toMatchObject([{ pointer: '/cursor' }]);
  });

  it.each([
    ['status', 'status=OPEN'],
    ['statusClass', 'statusClass=6xx'],
    ['destinationId', 'destinationId=x'],
    ['reasonCode', 'reasonCode=x'],
    ['from', 'from=yesterday'],
  ])('refuses a filter with an invalid %s', async (property, query) => {
    const problem = expectProblem(await admin(api.url, `deliveries?${query}`), 400, 'invalid-request');
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual([`/${property}`]);
  });

  it('shows one delivery with its attempts: the newest, or that of a generation', async () => {
    const [id] = await given({ ...FAILED, attempts: 2 });
    const eventId = id ?? '';
    await givenDelivery(api.pool, { eventId, destinationId, tenantId, generation: 2 });
    await api.pool.query(
      `insert into delivery_attempts (event_id, destination_id, generation, attempt_number, reason_code, status_code,
                                      duration_ms, response_excerpt, worker)
       values ($1, $2, 1, 2, 'HTTP_5XX', 503, 12, 'closed today', 'w'), ($1, $2, 1, 1, 'TIMEOUT', null, 9, null, 'w')`,
      [eventId, destinationId],
    );
    const path = `deliveries/${eventId}/${destinationId}`;
    const newest = await admin<Listed>(api.url, path.toUpperCase().replace('DELIVERIES', 'deliveries'));
    expect(newest.body).toMatchObject({ id, generation: 2, status: 'PENDING', attemptLog: [] });
    const first = await admin<Listed>(api.url, `${path}?generation=1`);
    const at = expect.stringMatching(/^\d{4}-.*Z$/) as string;
    expect(first.body).toMatchObject({
      generation: 1,
      status: 'FAILED',
      attemptLog: [
        { attemptNumber: 1, at, reasonCode: 'TIMEOUT', statusCode: null, durationMs: 9, responseExcerpt: null },
        {
          attemptNumber: 2,
          at,
          reasonCode: 'HTTP_5XX',
          statusCode: 503,
          durationMs: 12,
          responseExcerpt: 'closed today',
        },
      ],
    });
    expectProblem(await admin(api.url, `${path}?generation=3`), 404, 'delivery-not-found');
    expectProblem(await admin(api.url, `deliveries/${eventId}/${UNKNOWN}`), 404, 'delivery-not-found');
    expectProblem(await admin(api.url, `${path}?generation=0`), 400, 'invalid-request');
    const stranger = await createdOperator(api.url, { role: 'viewer', tenantIds: ['stranger'] });
    const hidden = await ask(api.url, 'GET', path, { token: stranger.token });
    expectProblem(hidden, 404, 'delivery-not-found');
  });

  it('retries the failed deliveries that the filter selects, once for each idempotency key', async () => {
    const ids = await given(
      FAILED,
      { ...FAILED, lastReasonCode: 'TIMEOUT', lastStatusCode: null },
      { status: 'DELIVERED' },
    );
    const counted = await act('retry', { destinationId, dryRun: true });
    expect(counted).toMatchObject({ accepted: true, actionId: null, matched: 2, retried: 0, skipped: 0, dryRun: true });
    const body = { destinationId, statusClass: '5xx', note: 'mended' };
    const retried = await act('retry', body, { 'idempotency-key': tenantId });
    expect(retried).toMatchObject({ matched: 1, retried: 1, skipped: 0, dryRun: false });
    await expect(act('retry', body, { 'idempotency-key': tenantId })).resolves.toEqual(retried);
    await expect(statuses()).resolves.toEqual(['OPEN', 'FAILED', 'DELIVERED']);
    expect((await queueRows(api.pool)).filter((row) => row.destinationId === destinationId)).toMatchObject([
      { eventId: ids[0], lease: null },
    ]);
    const [entry] = (await admin<AuditPage>(api.url, 'audit?limit=1')).body.entries;
    expect(entry).toMatchObject({
      ...{
        id: retried.actionId,
        action: 'deliveries.retry',
        note: 'mended',
        counts: { matched: 1, retried: 1, skipped: 0 },
      },
      filter: { destinationId, statusClass: '5xx', status: 'FAILED' },
    });
    const action = await admin(api.url, `actions/${retried.actionId}`);
    expect(action.body).toMatchObject({
      action: 'deliveries.retry',
      status: 'DONE',
      matched: 1,
      progress: { retried: 1 },
    });
  });

  it('retries discarded deliveries, and those that wait for their next try, if `status` says so', async () => {
    await given({ ...FAILED, status: 'DISCARDED' }, { attempts: 1, dueInSeconds: 3_600 }, FAILED);
    expect(await act('retry', { destinationId, status: 'DISCARDED' })).toMatchObject({ matched: 1, retried: 1 });
    const due = await act('retry', { destinationId, status: 'RETRYING' });
    expect(due).toMatchObject({ matched: 2, retried: 1, skipped: 1 }); // the other one is due already
    await expect(statuses()).resolves.toEqual(['OPEN', 'OPEN', 'FAILED']);
    for (const { dueInSeconds, ...row } of await queueRows(api.pool))
      if (row.destinationId === destinationId) expect(dueInSeconds).toBeLessThanOrEqual(0);
  });

  it('skips deliveries to a destination that is disabled', async () => {
    await given(FAILED);
    await api.pool.query('update destinations set enabled = false where id = $1', [destinationId]);
    expect(await act('retry', { destinationId })).toMatchObject({ matched: 1, retried: 0, skipped: 1 });
  });

  it('discards failed deliveries, and waiting ones if `status` says so', async () => {
    await given(FAILED, { attempts: 1, dueInSeconds: 60 }, {}, { status: 'DELIVERED' });
    expect(await act('discard', { tenantId })).toMatchObject({ matched: 1, discarded: 1, skipped: 0 });
    expect(await act('discard', { tenantId, status: 'RETRYING' })).toMatchObject({ matched: 1, discarded: 1 });
    await expect(statuses()).resolves.toEqual(['DISCARDED', 'DISCARDED', 'OPEN', 'DELIVERED']);
    expectProblem(
      await admin(api.url, 'deliveries/discard', { tenantId, status: 'DELIVERED' }),
      400,
      'invalid-request',
    );
  });

  it('changes at most `limit` deliveries, the newest', async () => {
    await given(FAILED, FAILED, FAILED);
    expect(await act('discard', { tenantId, limit: 2 })).toMatchObject({ matched: 2, discarded: 2 });
    await expect(statuses()).resolves.toEqual(['FAILED', 'DISCARDED', 'DISCARDED']);
  });

  it.each([{}, { limit: 5 }, { all: false }, { all: true, tenantId: 'any' }, { destinationId: 'x' }, { group: 1 }])(
    'refuses to retry or discard %j',
    async (body) => {
      expectProblem(await admin(api.url, 'deliveries/retry', body), 400, 'invalid-request');
      expectProblem(await admin(api.url, 'deliveries/discard', body), 400, 'invalid-request');
    },
  );

  it('"all" means the tenants of the operator', async () => {
    await given(FAILED);
    const own = tenantId;
    tenantId = `${own}-other`;
    await given(FAILED);
    const { token } = await createdOperator(api.url, { role: 'support', tenantIds: [own] });
    const answer = await ask<Changed>(api.url, 'POST', 'deliveries/discard', { token, body: { all: true } });
    expect([answer.status, answer.body]).toMatchObject([202, { matched: 1, discarded: 1 }]);
    await expect(statuses()).resolves.toEqual(['FAILED']);
  });
});
