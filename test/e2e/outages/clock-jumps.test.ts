import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { syntheticEvents } from '../../support/e2e-events';
import { call, postEvent } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useGateway } from '../../support/fixtures/gateway';
import { givenDestination } from '../../support/receivers/destinations';
import { answer } from '../../support/receivers/receiver';

const LIMIT = 20;
const CLOCK = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-clock-')), 'offset');

/** Shifts the clock of the process, which says nothing about durations. */
const setClock = (offset: string): void => fs.writeFileSync(CLOCK, `${offset}\n`);

function fakeClock(): string {
  const [library] = fs.globSync('/usr/lib/*/faketime/libfaketime.so.1');
  if (!library) throw new Error('libfaketime is not installed. Run `npm run test:setup`.');
  return library;
}

describe('a process whose clock jumps', () => {
  setClock('+0');
  const gateway = useGateway({
    LD_PRELOAD: fakeClock(),
    FAKETIME_TIMESTAMP_FILE: CLOCK,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    TENANT_RATE_LIMIT_PER_MINUTE: String(LIMIT),
    RETRY_JITTER: '0',
    DELIVERY_RETRY_SCHEDULE_SECONDS: Array(60).fill('0.5').join(),
  });
  afterEach(() => setClock('+0'));
  afterAll(() => fs.rmSync(path.dirname(CLOCK), { recursive: true }));

  const clockOf = async () => {
    const { status, body } = await call<{ status: string; checks: { clock?: { message: string } } }>(
      `${gateway.url}/ready`,
    );
    return [status, body.status, body.checks.clock?.message];
  };
  const openCircuits = async (): Promise<number> => {
    const { text } = await call(`${gateway.url}/metrics`);
    return Number(/^streamforge_destinations_open_circuits (\d+)$/m.exec(text)?.[1]);
  };

  it.each([
    ['an hour back', '-3600', /^the clock of this machine is 3600 s behind PostgreSQL's/],
    ['three months back', '-7776000', /is 7776000 s behind/],
    ['an hour forward', '+3600', /is 3600 s ahead of/],
    ['three months forward', '+7776000', /is 7776000 s ahead of/],
  ])('waits for a limit and for a circuit no longer and no shorter (%s)', async (name, offset, message) => {
    await eventually(async () => expect(await clockOf()).toEqual([200, 'ready', undefined]));
    const tenant = name.replaceAll(' ', '-');
    gateway.receiver.reaction = answer(500);
    await givenDestination(gateway.url, { tenantId: tenant, url: gateway.receiver.url });
    const lines = syntheticEvents(LIMIT + 1, tenant).map(({ line }) => line);
    for (const line of lines.slice(0, LIMIT)) expect((await postEvent(gateway.url, tenant, line)).status).toBe(202);
    await eventually(async () => expect(await openCircuits()).toBe(1));

    setClock(offset);
    const { status, headers } = await postEvent(gateway.url, tenant, lines[LIMIT] as string);
    expect(status).toBe(429);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);
    await eventually(async () => expect(await clockOf()).toEqual([200, 'degraded', expect.stringMatching(message)]));
    gateway.receiver.reaction = answer(200);
    await eventually(async () => {
      const { rows } = await gateway.pool.query<{ status: string; n: number }>(
        'select status, count(*)::int as n from reporting.deliveries d join events e on e.id = d.event_id where tenant_id = $1 group by 1',
        [tenant],
      );
      expect(rows).toEqual([{ status: 'DELIVERED', n: LIMIT }]);
    }, 90_000);
  });
});
