import { eventually } from '../../support/eventually';
import { useEngines } from '../../support/engines';
import { ConnectProxy } from '../../support/receivers/connect-proxy';
import { countRows } from '../../support/rows';

/** Held deliveries come back after 5 to 10 s. */
const WAIT_MS = 60_000;

describe('an outage of the proxy of destinations', () => {
  const scene = useEngines();
  let proxy: ConnectProxy;
  beforeEach(async () => {
    proxy = await ConnectProxy.start();
  });
  afterEach(() => proxy.stop());

  it('holds deliveries without a try, and counts neither for the circuit nor for disabling', async () => {
    proxy.status = 407;
    const to = await scene.receiver();
    const engine = scene.engine({ DESTINATIONS_PROXY_URL: `http://127.0.0.1:${proxy.port}` });
    const id = await engine.destination({ url: to.url, timeoutMs: 10_000 });
    const sent = await scene.events(3);
    await engine.settle(sent);
    const held = `select from delivery_queue where lease is null and due_at > now()`;
    await eventually(async () => expect((await scene.pool.query(held)).rows).toHaveLength(3));
    const { rows } = await scene.pool.query('select distinct status, attempts, tries from deliveries');
    expect(rows).toEqual([{ status: 'OPEN', attempts: 0, tries: 0 }]);
    await expect(countRows(scene.pool, 'delivery_attempts')).resolves.toBe(0);
    await expect(countRows(scene.pool, 'destination_failures')).resolves.toBe(0);

    proxy.status = 200;
    await scene.settled(id, 3, 'DELIVERED', WAIT_MS);
    expect(to.received.map(({ headers }) => headers['webhook-attempt'])).toEqual(['1', '1', '1']);
  });

  it('is no time in which a destination fails, which is not disabled for it', async () => {
    proxy.status = 407;
    const engine = scene.engine({ DESTINATIONS_PROXY_URL: `http://127.0.0.1:${proxy.port}` });
    const id = await engine.destination({ url: 'http://receiver.example/', timeoutMs: 10_000 });
    await scene.pool.query(
      `insert into destination_failures (destination_id, failing_since, updated_at, last_reason_code)
       values ($1, now() - interval '200 hours', now() - interval '190 hours', 'CONNECTION_FAILED')`,
      [id],
    );
    const failing = async () => {
      const { rows } = await scene.pool.query<{ hours: number; isNew: boolean }>(
        `select round(extract(epoch from updated_at - failing_since) / 3600)::int as hours,
                updated_at > now() - interval '1 hour' as "isNew" from destination_failures`,
      );
      return rows;
    };
    await engine.settle(await scene.events(1));
    await eventually(() => expect(proxy.requests).not.toEqual([]));
    await eventually(async () => {
      await engine.disable.runOnce();
      expect(await failing()).toEqual([{ hours: 10, isNew: true }]);
    });

    proxy.status = 403; // of the host: a failure again
    await eventually(async () => expect(await countRows(scene.pool, 'delivery_attempts')).toBe(1), WAIT_MS);
    await engine.disable.runOnce();
    expect(await failing()).toEqual([{ hours: 10, isNew: true }]);
    await expect(countRows(scene.pool, 'destinations where enabled')).resolves.toBe(1);
  });

  it('is not what a refusal of one host is', async () => {
    proxy.status = 403;
    const engine = scene.engine({ DESTINATIONS_PROXY_URL: `http://127.0.0.1:${proxy.port}` });
    await engine.destination({ url: 'http://receiver.example/', timeoutMs: 10_000 });
    await engine.settle(await scene.events(1));
    await eventually(async () => expect(await countRows(scene.pool, 'destination_failures')).toBe(1));
    const { rows } = await scene.pool.query('select attempts, tries, last_reason_code as reason from deliveries');
    expect(rows).toEqual([{ attempts: 1, tries: 1, reason: 'CONNECTION_FAILED' }]);
  });
});
