import type { Pool } from 'pg';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { admin } from '../../support/admin';
import { givenOperator, heedAccess } from '../../support/credentials';
import { call } from '../../support/e2e-http';
import { useConsole } from '../../support/fixtures/console';

const SOURCE = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a';

interface Given {
  kind: string;
  subject: string;
  tenantId?: string | null;
  name?: string | null;
  state?: 'raised' | 'joined';
  figures?: object | null;
  clearing?: boolean;
}

/** Stores a raised condition and returns its incident. */
async function givenCondition(pool: Pool, condition: Given): Promise<string> {
  const {
    kind,
    subject,
    tenantId = 'demo',
    name = 'till',
    state = 'raised',
    figures = {},
    clearing = false,
  } = condition;
  const incident = uuidV7();
  await pool.query(
    `insert into operator_conditions (kind, subject, state, incident, tenant_id, name, since, figures, clearing_since)
     values ($1, $2, $3, $4, $5, $6, now() - interval '40 minutes', $7, case when $8 then now() end)`,
    [kind, subject, state, incident, tenantId, name, figures === null ? null : JSON.stringify(figures), clearing],
  );
  return incident;
}

const SILENT = {
  kind: 'source.silent',
  subject: SOURCE,
  figures: { silentSeconds: 2_400, expectEverySeconds: 300 },
};
const GROWING = {
  kind: 'deadletters.growing',
  subject: 'other/971cda787dea79afda854eee17d842a8',
  tenantId: 'other',
  name: 'HTTP_4XX',
  figures: { newDeadLetters: 12, minutes: 10, reasonCode: 'HTTP_4XX', destinationId: null },
};

interface Page {
  conditions: { incident: string; kind: string; subject: string | null; count: number; summary: string }[];
  nextCursor: string | null;
}

describe('GET /v1/admin/conditions', () => {
  const ui = useConsole({ APP_ROLE: 'api', PUBLIC_URL: 'https://events.example.com' });
  const { api } = ui;
  const list = async (query = '') => (await admin<Page>(api.url, `conditions${query}`)).body;
  const kindsOf = ({ conditions }: Page) => conditions.map(({ kind, subject }) => `${kind} ${subject}`);
  beforeEach(() => api.pool.query('truncate operator_conditions'));

  it('lists what is raised, the last one first, in pages', async () => {
    const silent = await givenCondition(api.pool, SILENT);
    const outbox = { kind: 'outbox.lagging', subject: '', tenantId: null, name: null };
    await givenCondition(api.pool, { ...outbox, figures: { oldestSeconds: 90, waiting: 7 }, clearing: true });
    await givenCondition(api.pool, { kind: 'of.another-build', subject: '' });
    const first = await list('?limit=1');
    expect(first.conditions).toEqual([
      {
        incident: expect.any(String) as string,
        kind: 'outbox.lagging',
        severity: 'critical',
        summary: 'The outbox lags: 7 events wait to be published, the oldest for 90 seconds.',
        subject: null,
        tenantId: null,
        name: null,
        since: expect.any(String) as string,
        raisedAt: expect.any(String) as string,
        clearingSince: expect.any(String) as string,
        flapping: false,
        count: 1,
        figures: { oldestSeconds: 90, waiting: 7 },
        link: 'https://events.example.com/console/outbox',
        page: '/outbox',
      },
    ]);
    const second = await list(`?limit=1&cursor=${first.nextCursor}`);
    expect(second.conditions).toMatchObject([
      {
        incident: silent,
        severity: 'error',
        summary:
          'Source till of tenant demo has been silent for 40 minutes. It is expected to send at least every 5 minutes.',
        clearingSince: null,
        page: `/sources/${SOURCE}`,
      },
    ]);
    expect((await list(`?cursor=${second.nextCursor}`)).conditions).toEqual([]);
  });

  it('lists one for many, and where a tenant is asked for, those of the tenant', async () => {
    for (const tenantId of ['demo', 'demo', 'other']) {
      await givenCondition(api.pool, { ...SILENT, tenantId, subject: uuidV7(), state: 'joined' });
    }
    await givenCondition(api.pool, { kind: 'source.silent', subject: '*', tenantId: null, name: null });
    const all = await list();
    expect(all.conditions).toMatchObject([
      { subject: null, count: 3, summary: '3 sources are silent.', page: '/sources' },
    ]);
    expect((await list('?tenantId=demo')).conditions).toHaveLength(2);
  });

  it('shows an operator who is bound to tenants those of these tenants', async () => {
    await givenCondition(api.pool, SILENT);
    await givenCondition(api.pool, GROWING);
    await givenCondition(api.pool, { kind: 'outbox.lagging', subject: '', tenantId: null, figures: null });
    const { text } = await givenOperator(api.pool, { role: 'viewer', tenantIds: ['demo'] });
    heedAccess(api.app);
    const ask = async (query: string) =>
      (await call<Page>(`${api.url}/v1/admin/conditions${query}`, { headers: { 'x-admin-token': text } })).body;
    expect(kindsOf(await ask(''))).toEqual([`source.silent ${SOURCE}`]);
    expect(kindsOf(await ask('?tenantId=other'))).toEqual([]);
  });

  it('is shown in the console, where each leads to what it is about', async () => {
    await ui.at.open('/', 'Overview');
    const { page } = ui.at;
    await page.getByText('No operator event is raised.').waitFor();
    await givenCondition(api.pool, GROWING);
    await givenCondition(api.pool, SILENT);
    const line = page.getByRole('listitem').filter({ hasText: 'Source till of tenant demo has been silent' });
    await line.getByText('source.silent').waitFor();
    expect(await line.innerText()).toContain('40 min ago');
    await page.getByRole('link', { name: 'Dead letters of tenant other with HTTP_4XX' }).click();
    await page.waitForURL('**/console/dead-letters/971cda787dea79afda854eee17d842a8?tenantId=other');
  });
});
