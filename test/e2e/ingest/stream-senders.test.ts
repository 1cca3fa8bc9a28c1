import type { Pool } from 'pg';
import { startTestApp, type TestApp } from '../../support/app';
import { givenKey } from '../../support/credentials';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { expectProblem, postStream, type ProblemAnswer } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { OpenStream } from '../../support/open-stream';
import { storedOf } from '../../support/processes/e2e-own-servers';
import { givenTenant } from '../../support/tenants';

interface Sender {
  tenant: string;
  keyId: string;
  headers: Record<string, string>;
}

/** What happens to a sender, and how its stream ends. */
interface Ending {
  status: number;
  code: string;
  happens: (pool: Pool, sender: Sender) => Promise<unknown>;
}

const ENDINGS: [string, Ending][] = [
  [
    'the tenant is suspended',
    {
      status: 403,
      code: 'tenant-suspended',
      happens: (pool, { tenant }) => givenTenant(pool, tenant, { status: 'suspended' }),
    },
  ],
  [
    'the key is revoked',
    {
      status: 401,
      code: 'api-key-invalid',
      happens: (pool, { keyId }) => pool.query('update api_keys set revoked_at = now() where id = $1', [keyId]),
    },
  ],
  [
    'the key expires',
    {
      status: 401,
      code: 'api-key-expired',
      happens: (pool, { keyId }) => pool.query('update api_keys set expires_at = now() where id = $1', [keyId]),
    },
  ],
];

const upload = (count: number, run: string) => toNdjson(syntheticEvents(count, run));

describe('a stream whose sender may not go on', () => {
  let database: TestDatabase;
  let running: TestApp;
  let url: string;
  const senders: Sender[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
    for (let i = 0; i < ENDINGS.length * 2; i++) {
      const tenant = `sender-${i}`;
      const { id: keyId, text } = await givenKey(database.pool, { tenantId: tenant });
      senders.push({ tenant, keyId, headers: { authorization: `Bearer ${text}` } });
    }
    running = await startTestApp(database.url, { TENANT_RATE_LIMIT_PER_MINUTE: '100' });
    ({ url } = running);
  });
  afterAll(async () => {
    await running.close();
    await database.drop();
  });

  const eventsOf = async (tenant: string): Promise<number> => (await storedOf(database.url, tenant)).events;

  it.each(ENDINGS)('because %s: a later batch is not stored, and the lines say so', async (_why, ending) => {
    const sender = senders.pop() as Sender;
    const { tenant, headers } = sender;
    const stream = new OpenStream(url, tenant, headers);
    await stream.write(upload(3, tenant));
    for (let i = 1; i <= 3; i++) expect(await stream.next()).toMatchObject({ record: i, status: 'accepted' });
    const startedMs = performance.now();
    await ending.happens(database.pool, sender);
    let stored = 3;
    const last = await eventually(async () => {
      await stream.write(upload(1, `${tenant}-${stored}`));
      const line = await stream.next();
      if (line?.status === 'accepted') stored += 1;
      expect(line?.code).toBeDefined();
      return line;
    });
    expect(performance.now() - startedMs).toBeLessThan(1_500);
    expect(last).toMatchObject({
      status: ending.status,
      code: ending.code,
      lastCommittedRecord: stored,
      summary: { records: stored, accepted: stored },
    });
    expect(await stream.rest()).toEqual([]);
    expect(await eventsOf(tenant)).toBe(stored);
  });

  it.each(ENDINGS)('because %s: a stream that waits for the limit ends with its summary', async (_why, ending) => {
    const sender = senders.pop() as Sender;
    const { tenant, headers } = sender;
    const answer = postStream<ProblemAnswer>(url, tenant, upload(200, tenant), headers);
    await eventually(async () => expect(await eventsOf(tenant)).toBe(90));
    const startedMs = performance.now();
    await ending.happens(database.pool, sender);
    const problem = expectProblem(await answer, ending.status, ending.code);
    expect(performance.now() - startedMs).toBeLessThan(1_500);
    expect(problem).toMatchObject({ lastCommittedRecord: 90, summary: { records: 90, accepted: 90 } });
    expect(await eventsOf(tenant)).toBe(90);
  });
});
