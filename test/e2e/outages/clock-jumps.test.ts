import { execFile } from 'node:child_process';
import * as path from 'node:path';
import { admin } from '../../support/admin';
import { syntheticEvents } from '../../support/e2e-events';
import { call, getEvent, postEvent } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { eventBody } from '../../support/events';
import { FakeClock } from '../../support/fixtures/fake-clock';
import { useGateway } from '../../support/fixtures/gateway';
import { TestCluster, type Role } from '../../support/processes/e2e-cluster';
import type { TestProcess } from '../../support/processes/process';
import { givenDestination } from '../../support/receivers/destinations';
import { answer, inTurn, TestReceiver } from '../../support/receivers/receiver';

const HOUR = 3_600;
const MONTHS = 90 * 24 * HOUR;
const JUMPS = [-HOUR, -MONTHS, HOUR, MONTHS];
const DOCTOR = path.resolve(__dirname, '../../../dist/src/commands/doctor.js');

const RETRIES = { RETRY_JITTER: '0', DELIVERY_RETRY_SCHEDULE_SECONDS: Array(60).fill('0.5').join() };

const wrongBy = (seconds: number): string =>
  `the clock of this machine is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} PostgreSQL's: run NTP on both machines.`;

/** What /ready says about the clock. */
async function clockOf(url: string): Promise<unknown[]> {
  const { status, body } = await call<{ status: string; checks: { clock?: { message: string } } }>(`${url}/ready`);
  return [status, body.status, body.checks.clock?.message];
}
const untilNamed = (url: string, seconds: number): Promise<void> =>
  eventually(async () => expect(await clockOf(url)).toEqual([200, 'degraded', wrongBy(seconds)]));
const untilRight = (url: string): Promise<void> =>
  eventually(async () => expect(await clockOf(url)).toEqual([200, 'ready', undefined]));

/** The metric, in seconds. */
async function aheadOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^streamforge_clock_ahead_seconds\S* (\S+)$/m.exec(text)?.[1]);
}

describe('a process whose clock jumps', () => {
  const LIMIT = 20;
  const clock = new FakeClock();
  const gateway = useGateway({ ...clock.env, ...RETRIES, TENANT_RATE_LIMIT_PER_MINUTE: String(LIMIT) });
  afterEach(() => clock.set(0));
  afterAll(() => clock.remove());

  const openCircuits = async (): Promise<number> => {
    const { text } = await call(`${gateway.url}/metrics`);
    return Number(/^streamforge_destinations_open_circuits (\d+)$/m.exec(text)?.[1]);
  };

  it.each(JUMPS)('waits for a limit and for a circuit no longer and no shorter (%i s)', async (seconds) => {
    await untilRight(gateway.url);
    const tenant = `by${seconds}`;
    gateway.receiver.reaction = answer(500);
    await givenDestination(gateway.url, { tenantId: tenant, url: gateway.receiver.url });
    const lines = syntheticEvents(LIMIT + 1, tenant).map(({ line }) => line);
    for (const line of lines.slice(0, LIMIT)) expect((await postEvent(gateway.url, tenant, line)).status).toBe(202);
    await eventually(async () => expect(await openCircuits()).toBe(1));

    clock.set(seconds);
    const { status, headers } = await postEvent(gateway.url, tenant, lines[LIMIT] as string);
    expect(status).toBe(429);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);
    gateway.receiver.reaction = answer(200);
    await untilNamed(gateway.url, seconds);
    await eventually(async () => {
      const { rows } = await gateway.pool.query<{ status: string; n: number }>(
        `select status, count(*)::int as n from reporting.deliveries d join events e on e.id = d.event_id
          where tenant_id = $1 group by 1`,
        [tenant],
      );
      expect(rows).toEqual([{ status: 'DELIVERED', n: LIMIT }]);
    }, 90_000);
  });
});

describe('beside processes whose clocks are right,', () => {
  const ROLES = ['api', 'publisher', 'worker'] as const;
  const clocks = { api: new FakeClock(), publisher: new FakeClock(), worker: new FakeClock() };
  const processes = new Map<Role, TestProcess>();
  let cluster: TestCluster;
  let receiver: TestReceiver;
  beforeAll(async () => {
    [cluster, receiver] = await Promise.all([TestCluster.create(), TestReceiver.start()]);
    clocks.api.set(-MONTHS); // it starts so
    const env = { ...RETRIES, DESTINATIONS_ALLOW_PRIVATE: 'true', RECONCILE_AFTER_SECONDS: '60' };
    const starting = ROLES.map(async (role) => {
      processes.set(role, await cluster.start(role, { ...env, ...clocks[role].env }));
    });
    await Promise.all(starting);
  });
  afterAll(async () => {
    await cluster.drop();
    await receiver.stop();
    for (const role of ROLES) clocks[role].remove();
  });

  const urlOf = (role: Role): string => (processes.get(role) as TestProcess).url;
  const post = async (tenant: string): Promise<string> => {
    const { status, body } = await postEvent(urlOf('api'), tenant, JSON.stringify(eventBody()));
    expect(status).toBe(202);
    return body.id;
  };
  /** In ms since 1970, by PostgreSQL's clock. */
  const nowMs = async (): Promise<number> => {
    const { rows } = await cluster.pool.query<{ ms: number }>('select extract(epoch from now())::float8 * 1000 as ms');
    return (rows[0] as { ms: number }).ms;
  };
  /** The ids of the events of a range of time, newest first. The range is a second longer at both ends. */
  const listed = async (tenantId: string, fromMs: number, toMs: number): Promise<string[]> => {
    const [from, to] = [new Date(fromMs - 1_000).toISOString(), new Date(toMs + 1_000).toISOString()];
    const query = new URLSearchParams({ tenantId, from, to });
    const { status, body } = await admin<{ events: { id: string }[] }>(urlOf('api'), `events?${query.toString()}`);
    expect(status).toBe(200);
    return body.events.map(({ id }) => id);
  };

  it('an api that starts with a wrong clock gives its events the right time', async () => {
    const fromMs = await nowMs();
    const id = await post('from-the-start');
    expect(await listed('from-the-start', fromMs, await nowMs())).toEqual([id]);
    await untilNamed(urlOf('api'), -MONTHS);
    clocks.api.set(0);
    for (const role of ROLES) await untilRight(urlOf(role));
  });

  it.each(ROLES.flatMap((role) => JUMPS.map((seconds): [Role, number] => [role, seconds])))(
    'the %s goes on as before, says that its clock is wrong, and events have their time and order (%i s)',
    async (role, seconds) => {
      const tenant = `${role}-by${seconds}`;
      receiver.reaction = inTurn(answer(500), answer(200));
      await givenDestination(urlOf('api'), { tenantId: tenant, url: receiver.url });
      const fromMs = await nowMs();
      const before = await post(tenant);
      clocks[role].set(seconds);
      const during = await post(tenant);
      await untilNamed(urlOf(role), seconds);
      expect(Math.abs((await aheadOf(urlOf(role))) - seconds)).toBeLessThan(1);
      const named = await post(tenant);
      for (const id of [before, during, named]) {
        await eventually(() => expect(receiver.of(id)).toHaveLength(2)); // each was tried again
        await eventually(async () => {
          const { attempts, status } = (await getEvent(urlOf('api'), tenant, id)).body;
          expect([status, attempts.length]).toEqual(['COMPLETED', 1]);
        });
      }
      clocks[role].set(0);
      await untilRight(urlOf(role));
      const after = await post(tenant);
      expect(await listed(tenant, fromMs, await nowMs())).toEqual([after, named, during, before]);
    },
  );

  it('doctor names a clock that is wrong', async () => {
    clocks.api.set(-HOUR);
    const env = { PATH: process.env.PATH, DATABASE_URL: cluster.database.url, ...clocks.api.env };
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, [DOCTOR], { env }, (_error, stdout) => resolve(stdout));
    });
    expect(output).toContain(wrongBy(-HOUR));
  });
});
