import { ADMIN_TOKEN } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { call } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { startProcess, type TestProcess } from '../../support/processes/process';
import { OtlpCollector } from '../../support/receivers/otlp-collector';
import { boxOf, storeSource, type GivenSource, type SourceFields } from '../../support/sources';
import { sendWebhook, SIGNED_BODY, WEBHOOK_SECRET } from '../../support/sources/webhooks';
import { mintToken } from '../../../src/sources/directory/source-token';
import { rotateSourceSecret, rotateSourceToken } from '../../../src/sources/directory/sources.queries';
import type { SecretBox } from '../../../src/destinations/secrets/secret-box';

const METRICS_TOKEN = 'a-token-for-metrics-4713';
const SHARED = 'canary-of-a-shared-token-4716';
const PASSWORD = 'canary-of-a-password-4717';
const COOKIE = 'canary-of-a-cookie-4718';
const OTHER_SECRET = 'canary-of-a-second-secret-4719';
const NAMED = { eventType: { template: 'a.type' }, subject: '/n' } as const;

/** Longer than a process takes to heed a change. */
const HEEDED_MS = 10_000;

describe('the secrets and tokens of sources', () => {
  let database: TestDatabase;
  let collector: OtlpCollector;
  let api: TestProcess;
  let box: SecretBox;
  let distinct = 0;

  beforeAll(async () => {
    [database, collector] = await Promise.all([createTestDatabase(), OtlpCollector.start()]);
    box = await boxOf(database.pool);
    api = await startProcess({
      ...collector.env,
      APP_ROLE: 'api',
      DATABASE_URL: database.url,
      LOG_LEVEL: 'trace',
      METRICS_TOKEN,
    });
  });
  afterAll(async () => {
    await api?.end('SIGKILL');
    await collector?.close();
    await database?.drop();
  });

  const given = (fields: SourceFields): Promise<GivenSource> =>
    storeSource(database.pool, box, {
      mapping: NAMED,
      verification: SIGNED_BODY,
      secrets: [WEBHOOK_SECRET],
      ...fields,
    });
  const fresh = (): string => `{"n":"${(distinct += 1)}"}`;
  const statusAt = async (token: string, secret = WEBHOOK_SECRET): Promise<number> =>
    (await sendWebhook(`${api.url}/in/${token}`, fresh(), { secret })).status;
  const heeded = (check: () => Promise<number>, status: number) =>
    eventually(async () => expect(await check()).toBe(status), HEEDED_MS);

  it('take the old secret beside the new one until the overlap is over, and from then on only the new one', async () => {
    const { row, token } = await given({});
    await heeded(() => statusAt(token), 200);
    const sealed = box.seal(OTHER_SECRET, row.id);
    const rotated = await rotateSourceSecret(database.pool, row.id, { secret: sealed, overlapSeconds: 3 });
    const untilMs = Date.parse(rotated?.secondSecretUntil as string);
    await heeded(() => statusAt(token, OTHER_SECRET), 200);
    expect([await statusAt(token), Date.now() < untilMs]).toEqual([200, true]);
    await heeded(() => statusAt(token), 401);
    expect(Date.now()).toBeGreaterThanOrEqual(untilMs);
    expect(await statusAt(token, OTHER_SECRET)).toBe(200);
  });

  it('take no old secret after a rotation without an overlap', async () => {
    const { row, token } = await given({});
    await heeded(() => statusAt(token), 200);
    await rotateSourceSecret(database.pool, row.id, { secret: box.seal(OTHER_SECRET, row.id), overlapSeconds: 0 });
    await heeded(() => statusAt(token, OTHER_SECRET), 200);
    expect(await statusAt(token)).toBe(401);
  });

  it('take the old URL beside the new one until the overlap is over, and then answer it 404', async () => {
    const { row, token } = await given({});
    await heeded(() => statusAt(token), 200);
    const next = mintToken();
    const change = { tokenDigest: next.digest, tokenHint: next.hint, overlapSeconds: 3 };
    const rotated = await rotateSourceToken(database.pool, row.id, change);
    const untilMs = Date.parse(rotated?.previousTokenUntil as string);
    await heeded(() => statusAt(next.text), 200);
    expect([await statusAt(token), Date.now() < untilMs]).toEqual([200, true]);
    await heeded(() => statusAt(token), 404);
    expect(Date.now()).toBeGreaterThanOrEqual(untilMs);
    expect(await statusAt(next.text)).toBe(200);

    const last = mintToken();
    const now = { tokenDigest: last.digest, tokenHint: last.hint, overlapSeconds: 0 };
    await rotateSourceToken(database.pool, row.id, now);
    await heeded(() => statusAt(last.text), 200);
    expect(await statusAt(next.text)).toBe(404);
  });

  it('are masked in samples, in what is kept with events, and in rejections', async () => {
    const sources = await Promise.all([
      given({ verification: { scheme: 'token', header: 'x-shared' }, secrets: [SHARED] }),
      given({ verification: { scheme: 'token', query: 'key' }, secrets: [SHARED] }),
      given({ verification: { scheme: 'basic' }, secrets: [`shop:${PASSWORD}`] }),
      given({ verification: { scheme: 'token', value: '{body:/token}' }, secrets: [SHARED] }),
    ]);
    const basic = `Basic ${Buffer.from(`shop:${PASSWORD}`).toString('base64')}`;
    const [byHeader, byQuery, byPassword, byBody] = sources;
    const requests = [
      { source: byHeader, headers: { 'x-shared': SHARED } },
      { source: byQuery, query: `?key=${SHARED}&other=1` },
      { source: byPassword, headers: { authorization: basic } },
    ];
    for (const { source, headers = {}, query = '' } of requests) {
      for (const body of [fresh(), '{"broken']) {
        const url = `${api.url}${source.path}${query}`;
        const sent = { headers: { cookie: COOKIE, 'x-signature': undefined, ...headers } };
        await eventually(async () => expect((await sendWebhook(url, body, sent)).status).toBe(200));
      }
    }
    for (const token of [SHARED, 'canary-of-a-wrong-token-4720']) {
      await sendWebhook(`${api.url}${byBody.path}`, `{"n":"1","token":"${token}"}`);
    }
    await eventually(async () => {
      const { rows } = await database.pool.query('select from source_samples where source_id = $1', [byBody.row.id]);
      expect(rows).toHaveLength(2);
    });
    const { rows } = await database.pool.query<{ kind: string; text: string }>(
      `select 'sample' as kind, sample::text as text from source_samples where source_id = any ($1)
       union all select 'received', request::text from received_requests where source_id = any ($1)
       union all select 'rejection', request::text from rejections where source_id = any ($1)`,
      [sources.map(({ row }) => row.id)],
    );
    const kinds = Map.groupBy(rows, ({ kind }) => kind);
    expect([kinds.get('sample')?.length, kinds.get('received')?.length, kinds.get('rejection')?.length]).toEqual([
      8, 4, 3,
    ]);
    const text = rows.map((row) => row.text).join('\n');
    expect(text).toContain('***');
    for (const canary of [SHARED, PASSWORD, basic.slice('Basic '.length), COOKIE, 'wrong-token-4720']) {
      expect(text).not.toContain(canary);
    }
  });

  /** Creates a source and changes its URL and secret through the API. Returns the tokens of its URLs. */
  const administer = async (): Promise<string[]> => {
    const post = async (path: string, body: object) => {
      const answer = await call<{ id: string; url: string }>(`${api.url}/v1/admin/sources${path}`, {
        method: 'POST',
        headers: { 'x-admin-token': ADMIN_TOKEN, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect([answer.status, answer.text]).toEqual([path === '' ? 201 : 200, expect.any(String)]);
      expect(answer.text).not.toContain(OTHER_SECRET);
      return answer.body;
    };
    const fields = { tenantId: 'acme', name: 'administered', provider: 'stripe', secrets: [OTHER_SECRET] };
    const { id, url } = await post('', fields);
    const rotated = await post(`/${id}/rotate-token`, {});
    await post(`/${id}/rotate-secret`, { secret: `${OTHER_SECRET} of later` });
    return [url, rotated.url].map((one) => one.slice(one.lastIndexOf('/') + 1));
  };

  it('never appear in logs, traces, metrics, answers or the audit trail, whatever becomes of a request', async () => {
    const { token, path, row } = await given({});
    await heeded(() => statusAt(token), 200);
    const paused = await given({ status: 'paused' });
    const wrong = 'wrong-token-of-a-url-0123456789-0123456789a';
    const trace = { traceparent: '00-5af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    const answers = [
      await sendWebhook(`${api.url}${path}/some/path?x=1`, fresh(), { headers: trace }),
      await sendWebhook(`${api.url}${path}`, fresh(), { secret: 'another' }),
      await sendWebhook(`${api.url}${path}`, '{"broken'),
      await sendWebhook(`${api.url}${path}`, fresh(), { headers: { 'content-encoding': 'nonsense' } }),
      await sendWebhook(`${api.url}${path}`, fresh(), { method: 'DELETE' }),
      await sendWebhook(`${api.url}${path}`, fresh(), { method: 'PATCH' }),
      await sendWebhook(`${api.url}${path}/%zz`, fresh()),
      await sendWebhook(`${api.url}${path}`, 'x'.repeat(2_000_000)),
      await sendWebhook(`${api.url}${paused.path}`, fresh()),
      await sendWebhook(`${api.url}/in/${wrong}`, fresh()),
      await sendWebhook(`${api.url}/in/${wrong}/x/${'y'.repeat(600)}`, fresh()),
    ];
    // A source whose stored rules do not compile is a fault that is logged.
    const damaged = await given({ mapping: { subject: '((' } });
    await eventually(async () => {
      const answer = await sendWebhook(`${api.url}${damaged.path}`, fresh());
      expect(answer.status).toBe(503);
    });
    await database.pool
      .query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
      )
      .catch(() => undefined);
    await heeded(() => statusAt(token), 200);
    await eventually(() => expect(collector.spans.map(({ name }) => name)).toContain('POST /in/:token/*'), 20_000);

    const metrics = await call(`${api.url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
    expect(metrics.text).toMatch(/streamforge_source_requests_total\{provider="custom",result="unverified"\} \d/);
    const administered = await administer();
    const { rows: audit } = await database.pool.query<{ action: string }>(
      `select action, to_jsonb(a)::text as text from admin_audit a where action like 'source.%' order by id`,
    );
    expect(audit.map(({ action }) => action)).toEqual(['source.create', 'source.rotate-token', 'source.rotate-secret']);
    const { rows: kept } = await database.pool.query<{ text: string }>(
      `select sample::text as text from source_samples where source_id = $1
       union all select request::text from received_requests where source_id = $1
       union all select request::text from rejections where source_id = $1`,
      [row.id],
    );
    const seen = [
      api.output(),
      metrics.text,
      JSON.stringify(collector.spans),
      JSON.stringify(audit),
      ...kept.map(({ text }) => text),
      ...answers.map(({ text, headers }) => text + JSON.stringify(headers)),
    ].join('\n');
    expect(answers.map(({ status }) => status).filter((status) => status >= 500 && status !== 503)).toEqual([]);
    const tokens = [token, paused.token, damaged.token, wrong, ...administered];
    for (const secret of [...tokens, WEBHOOK_SECRET, OTHER_SECRET]) {
      expect(seen).not.toContain(secret);
    }
  });
});
