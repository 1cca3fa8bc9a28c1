import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestApp, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { call, postEvent } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { OpenStream } from '../../support/open-stream';

const COUNT = 40_000;
/** Long ids, so that the lines exceed the buffers of two sockets. */
const idOf = (n: number): string => `${n}-${'i'.repeat(240)}`;
const line = (id: string): string => `{"eventId":"${id}","eventType":"x","subject":"s","payload":1}\n`;

describe('results of a stream that nobody reads', () => {
  let database: TestDatabase;
  let directory: string;
  const apps: TestApp[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-spill-'));
  });
  afterAll(async () => {
    for (const app of apps) await app.close();
    fs.rmSync(directory, { recursive: true, force: true });
    await database.drop();
  });

  const start = async (env: Record<string, string>): Promise<TestApp> => {
    const app = await startTestApp(database.url, env);
    apps.push(app);
    return app;
  };
  const storedFor = async (tenant: string): Promise<number> =>
    (await database.pool.query('select from events where tenant_id = $1', [tenant])).rowCount ?? 0;
  /** Resolves when the system has taken everything: not before the server reads it. */
  const upload = async (stream: OpenStream): Promise<void> => {
    for (let n = 0; n < COUNT; n += 500) {
      await stream.write(Array.from({ length: 500 }, (_, i) => line(idOf(n + i + 1))).join(''));
    }
    stream.end();
  };
  /** Resolves when nothing more is stored for a while. */
  const stands = async (tenant: string): Promise<number> => {
    for (let before = -1; ;) {
      const stored = await storedFor(tenant);
      if (stored > 0 && stored === before) return stored;
      before = stored;
      await sleep(1_000);
    }
  };
  const expectAll = async (stream: OpenStream): Promise<void> => {
    const lines = await stream.rest();
    expect(lines).toHaveLength(COUNT + 1);
    expect(lines.pop()).toMatchObject({ summary: { records: COUNT, accepted: COUNT } });
    expect(lines.findIndex(({ record, eventId }, i) => record !== i + 1 || eventId !== idOf(i + 1))).toBe(-1);
  };

  it.each([
    ['SPILL_MAX_BYTES is 0', 'none', { SPILL_MAX_BYTES: '0' }],
    ['the space of its tenant is used up', 'little', { SPILL_MAX_BYTES: '1000000' }],
  ])('make the stream wait for its reader where %s, and lose nothing', async (_when, tenant, env) => {
    const app = await start(env);
    const stream = new OpenStream(app.url, tenant);
    const uploading = upload(stream);
    expect(await stands(tenant)).toBeLessThan(COUNT);
    expect((await postEvent(app.url, 'other', line(`meanwhile-${tenant}`))).status).toBe(202);
    await expectAll(stream);
    await uploading;
    expect(await storedFor(tenant)).toBe(COUNT);
  });

  it('make the stream wait for its reader where SPILL_DIRECTORY fails, without an error for its client', async () => {
    const app = await start({ SPILL_DIRECTORY: directory });
    fs.rmSync(directory, { recursive: true });
    const stream = new OpenStream(app.url, 'failed');
    const uploading = upload(stream);
    expect(await stands('failed')).toBeLessThan(COUNT);
    await expectAll(stream);
    await uploading;
    const { text } = await call(`${app.url}/metrics`);
    expect(Number(/^streamforge_spill_failures_total (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
  });

  it('end with their connection after RESPONSE_STALL_TIMEOUT_MS, and what was reported stays stored', async () => {
    const app = await start({ SPILL_MAX_BYTES: '0', RESPONSE_STALL_TIMEOUT_MS: '1000' });
    const stream = new OpenStream(app.url, 'never');
    void upload(stream).catch(() => undefined);
    await eventually(async () => {
      const { text } = await call(`${app.url}/metrics`);
      expect(text).toMatch(/^streamforge_unread_responses_total 1$/m);
      expect(text).toMatch(/^streamforge_streams_open 0$/m);
    });
    expect(await stands('never')).toBeGreaterThan(0);
    stream.hangUp();
  });
});
