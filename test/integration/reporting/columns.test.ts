import { createTestDatabase, type TestDatabase } from '../../support/database';

/** The views are an interface: names, order and types of their columns may not change. */
const VIEWS: Record<string, string[]> = {
  attempts: [
    'event_id uuid',
    'generation integer',
    'dispatch integer',
    'attempt_number integer',
    'status text',
    'reason_code text',
    'duration_ms integer',
    'created_at timestamp with time zone',
  ],
  deliveries: [
    'event_id uuid',
    'destination_id uuid',
    'generation integer',
    'status text',
    'attempts integer',
    'exhausted boolean',
    'last_reason_code text',
    'last_status_code integer',
    'next_attempt_at timestamp with time zone',
    'delivered_at timestamp with time zone',
  ],
  events: [
    'id uuid',
    'tenant_id text',
    'event_id text',
    'type text',
    'subject text',
    'source text',
    'source_id uuid',
    'generation integer',
    'status text',
    'size_bytes integer',
    'occurred_at timestamp with time zone',
    'received_at timestamp with time zone',
    'published_at timestamp with time zone',
    'completed_at timestamp with time zone',
    'next_attempt_at timestamp with time zone',
  ],
  rejections: ['id uuid', 'tenant_id text', 'source_id uuid', 'code text', 'received_at timestamp with time zone'],
  open_work: ['kind text', 'event_id uuid', 'since timestamp with time zone'],
  usage: [
    ...['tenant_id text', 'day date', 'type text', 'events bigint', 'bytes bigint'],
    ...['processed bigint', 'processed_bytes bigint', 'deliveries bigint'],
  ],
};

describe('the reporting views', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('have exactly the documented columns', async () => {
    const { rows } = await database.pool.query<{ view: string; columns: string[] }>(
      `select c.relname::text as view,
              array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) order by a.attnum) as columns
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'reporting'::regnamespace group by c.relname order by c.relname`,
    );
    expect(Object.fromEntries(rows.map(({ view, columns }) => [view, columns]))).toEqual(VIEWS);
  });

  it('come with id_floor, which returns the lowest id of an instant', async () => {
    const { rows } = await database.pool.query<{ floor: string; same: boolean }>(
      `select reporting.id_floor('2026-01-05T00:00:00.123Z') as floor,
              reporting.id_floor(now()) = uuid_v7_floor(now()) as same`,
    );
    const time = Date.parse('2026-01-05T00:00:00.123Z').toString(16).padStart(12, '0');
    const floor = `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
    expect(rows).toEqual([{ floor, same: true }]);
  });

  it('use an index to filter by id, tenant, id range and, for attempts and open work, by event', async () => {
    const client = await database.pool.connect();
    try {
      await client.query('begin; set local enable_seqscan = off');
      const floor = `reporting.id_floor(now() - interval '1 hour')`;
      for (const query of [
        'select * from reporting.events where id = gen_random_uuid()',
        `select * from reporting.events where tenant_id = 'acme' and id >= ${floor}`,
        `select * from reporting.events where id >= ${floor}`,
        'select * from reporting.attempts where event_id = gen_random_uuid()',
        `select * from reporting.attempts where event_id >= ${floor}`,
        `select * from reporting.usage where tenant_id = 'acme'`,
        'select * from reporting.open_work where event_id = gen_random_uuid()',
        'select * from reporting.open_work',
      ]) {
        const { rows } = await client.query<Record<string, string>>(`explain ${query}`);
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
        expect([query, plan]).toEqual([query, expect.not.stringContaining('Seq Scan')]);
      }
    } finally {
      await client.query('rollback');
      client.release();
    }
  });
});
