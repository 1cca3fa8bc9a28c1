import { TRANSPORTS } from '../../../src/destinations/transports/transports';
import { getEvent, postEvent, postStream } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';
import { admin, givenDestination } from '../../support/receivers/destinations';
import { MemoryTransport } from '../../support/receivers/memory-transport';

const FAILED = { kind: 'failed', reason: 'CONNECTION_FAILED', message: 'no memory left' } as const;
const FINE = { kind: 'answered', status: 200, text: '' } as const;

describe('a kind of destination that is one file and one line of the table', () => {
  const api = useApp({ APP_ROLE: 'all', RETRY_JITTER: '0' });
  let memory: MemoryTransport;
  let tenants = 0;
  beforeEach(() => {
    memory = new MemoryTransport();
    TRANSPORTS['memory:'] = memory;
  });
  afterAll(() => {
    delete TRANSPORTS['memory:'];
  });

  const given = async (options: Record<string, unknown> = {}) => {
    const tenant = `kind-${(tenants += 1)}`;
    const { id } = await givenDestination(api.url, { tenantId: tenant, url: `memory://list-${tenants}`, ...options });
    return { tenant, id, list: `list-${tenants}` };
  };
  const send = async (tenant: string, payload: object): Promise<string> =>
    (await postEvent(api.url, tenant, JSON.stringify({ eventType: 'order.paid', subject: 'order-7', payload }))).body
      .id;
  const settled = (tenant: string, id: string, status: string) =>
    eventually(async () => {
      const { body } = await getEvent(api.url, tenant, id);
      expect(body.status).toBe(status);
      return body;
    });

  it('is registered by the scheme of its URL, which it checks itself', async () => {
    const register = (url: string) => admin(api.url, 'POST', '', { tenantId: 'kind', url });
    expect(await register('memory:///')).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/url', message: 'url must name a list' }] },
    });
    expect(await register('queue://orders')).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/url', message: expect.stringContaining('must be an absolute URL') as string }] },
    });
    expect((await register('memory://orders')).status).toBe(201);
  });

  it('gets what passes the filter, as the transform makes it, and again after a failure', async () => {
    memory.answer = ({ attempt }) => (attempt === 1 ? { kind: 'answered', status: 503, text: 'busy' } : FINE);
    const { tenant, id, list } = await given({
      filter: { payload: { amount: { $gt: 100 } } },
      transform: '{ "text": subject & ": " & $string(payload.amount) }',
      retrySchedule: [0.05],
    });
    const small = await send(tenant, { amount: 100 });
    const large = await send(tenant, { amount: 101 });
    const { deliveries } = await settled(tenant, large, 'COMPLETED');
    expect(deliveries).toMatchObject([{ destinationId: id, status: 'DELIVERED', attempts: 2, lastStatusCode: 200 }]);
    expect((await settled(tenant, small, 'COMPLETED')).deliveries).toEqual([]);
    const body = '{"text":"order-7: 101"}';
    expect(memory.kept).toEqual([1, 2].map((attempt) => ({ list, id: large, attempt, body })));
  });

  it('has failed deliveries with their reason once the schedule ends', async () => {
    memory.answer = () => FAILED;
    const { tenant, id } = await given({ retrySchedule: [0.05, 0.05] });
    const event = await send(tenant, {});
    const { deliveries } = await settled(tenant, event, 'DLQ');
    const failed = { status: 'FAILED', attempts: 3, exhausted: true, lastReasonCode: 'CONNECTION_FAILED' };
    expect(deliveries).toMatchObject([{ destinationId: id, ...failed, lastStatusCode: null }]);
  });

  it('has a circuit, which opens while everything fails and loses nothing', async () => {
    memory.answer = () => FAILED;
    const { tenant, id, list } = await given({ retrySchedule: Array<number>(50).fill(0.1) });
    const events = 30;
    const lines = Array.from({ length: events }, (_, n) =>
      JSON.stringify({ eventType: 'order.paid', subject: `order-${n}`, payload: { n } }),
    );
    await postStream(api.url, tenant, lines.join('\n'));
    const circuit = async () =>
      (await admin<{ health: { circuit: { state: string } } }>(api.url, 'GET', `/${id}`)).body.health.circuit.state;
    await eventually(async () => expect(await circuit()).not.toBe('closed'));
    memory.answer = () => FINE;
    await eventually(async () => {
      const { rows } = await api.pool.query<{ status: string }>(
        'select status from reporting.deliveries where destination_id = $1',
        [id],
      );
      expect(rows).toEqual(Array(events).fill({ status: 'DELIVERED' }));
    });
    expect(new Set(memory.kept.filter((one) => one.list === list).map((one) => one.id)).size).toBe(events);
    await eventually(async () => expect(await circuit()).toBe('closed'));
  });

  it('is not sent to by a build that does not have it, and is then tried again', async () => {
    const { tenant } = await given({ retrySchedule: [0.05, 0.05] });
    delete TRANSPORTS['memory:'];
    const { deliveries } = await settled(tenant, await send(tenant, {}), 'DLQ');
    expect(deliveries).toMatchObject([{ attempts: 3, exhausted: true, lastReasonCode: 'HANDLER_ERROR' }]);
    expect(memory.kept).toEqual([]);
  });
});
