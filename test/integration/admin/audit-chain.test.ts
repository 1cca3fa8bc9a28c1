import type { Pool } from 'pg';
import { linkDigest, NO_LINK, type LinkContent } from '../../../src/audit/chain-digest';
import { readLinks } from '../../../src/audit/chain.queries';
import { extendChain, LINK_ROWS } from '../../../src/audit/extend-chain';
import { recordSystemAction } from '../../../src/audit/system-actions.queries';
import { verifyChain } from '../../../src/audit/verify-chain';
import { inTransaction } from '../../../src/db/pool';
import { recordRefused } from '../../../src/access/refusals/refused-attempts.queries';
import { recordCounts } from '../../../src/admin/audit/audit.queries';
import { forgetActionKeys } from '../../../src/db/retention/action-keys.queries';
import { forgetAudit, pastTheTriggers } from '../../support/audit';
import { useDatabase } from '../../support/fixtures/database';
import { countRows } from '../../support/rows';

describe('the audit trail', () => {
  const database = useDatabase();
  let pool: Pool;
  beforeEach(async () => {
    ({ pool } = database);
    await forgetAudit(pool);
  });

  const act = (note: string) =>
    recordSystemAction(pool, { action: 'retention.drop', filter: { note }, counts: { events: 1 }, note });
  const chain = () => inTransaction(pool, extendChain);
  const idOf = async (note: string) => {
    const { rows } = await pool.query<{ id: string }>('select id from admin_audit where note = $1', [note]);
    return (rows[0] as { id: string }).id;
  };
  const found = async (known?: { n: string; digest: string }[]) =>
    (await verifyChain(pool, known ? { known } : {})).tampering.map(({ row, what }) => `${row} ${what}`);
  /** Three entries in three links. */
  const given = async () => {
    for (const note of ['one', 'two', 'three']) {
      await act(note);
      await chain();
    }
  };

  describe('is append-only:', () => {
    it.each([
      'delete from admin_audit',
      'truncate admin_audit',
      `update admin_audit set actor = 'nobody'`,
      `update admin_audit set note = null`,
      `update admin_audit set at = now()`,
      `update admin_audit set filter = '{}', counts = '{}'`,
      `update admin_audit set id = gen_random_uuid()`,
      `update admin_audit set key_digest = '\\x01'`,
      'delete from audit_counts',
      `update audit_counts set counts = '{}'`,
      'truncate audit_counts',
      'delete from audit_chain',
      `update audit_chain set digest = '\\x00'`,
      'truncate audit_chain',
    ])('%s is refused', async (statement) => {
      await given();
      await expect(pool.query(statement)).rejects.toThrow(/append-only/);
      expect(await found()).toEqual([]);
    });

    it('the counts of an entry may change, and every value that they have had stays', async () => {
      await act('one');
      const id = await idOf('one');
      for (const events of [2, 2, 3]) await recordCounts(pool, id, { events });
      const { rows } = await pool.query('select counts from audit_counts where entry_id = $1 order by id', [id]);
      expect(rows).toEqual([1, 2, 3].map((events) => ({ counts: { events } })));
      await chain();
      expect(await found()).toEqual([]);
    });

    it('an action may say how long it goes on', async () => {
      await act('one');
      await chain();
      await pool.query('update admin_audit set running_until = now()');
      expect(await found()).toEqual([]);
    });

    it('the idempotency key of an action may be forgotten', async () => {
      await pool.query(
        `insert into admin_audit (id, actor, action, filter, counts, correlation_id, key_digest, fingerprint)
         values (uuid_v7_floor(now() - interval '9 days'), 'admin', 'replay', '{}', '{}', 'c', '\\x01', '\\x02')`,
      );
      await chain();
      await expect(forgetActionKeys(pool, { retentionDays: 7, limit: 10 })).resolves.toBe(1);
      expect(await found()).toEqual([]);
    });
  });

  it('is chained by what has committed: a row that commits late is in a later link', async () => {
    const late = await pool.connect();
    try {
      await late.query('begin');
      await recordSystemAction(late, { action: 'retention.drop', filter: {}, counts: { events: 1 }, note: 'late' });
      await act('early');
      const first = await chain();
      expect(first?.entries.ids).toEqual([await idOf('early')]);
      expect(await chain()).toBeUndefined();
      await late.query('commit');
    } finally {
      late.release();
    }
    const second = await chain();
    expect(second).toMatchObject({ n: '2', entries: { ids: [await idOf('late')] } });
    expect(second?.counts.ids).toHaveLength(1);
    expect(await verifyChain(pool)).toMatchObject({ tampering: [], links: 2, rows: 4, waiting: { rows: 0 } });
  });

  it('is chained once by two processes at the same time, and without a gap', async () => {
    for (let i = 0; i < 5; i++) await act(`of ${i}`);
    await Promise.allSettled([chain(), chain(), chain()]);
    await chain();
    expect(await verifyChain(pool)).toMatchObject({ tampering: [], rows: 10, waiting: { rows: 0, seconds: 0 } });
  });

  it('is chained in links of a bounded size', async () => {
    await pool.query(
      `insert into admin_audit (id, actor, action, filter, counts, correlation_id)
       select gen_random_uuid(), 'admin', 'replay', '{}', '{}', 'c' from generate_series(1, $1)`,
      [LINK_ROWS + 1],
    );
    expect((await chain())?.entries.ids).toHaveLength(LINK_ROWS);
    expect(await verifyChain(pool)).toMatchObject({ tampering: [], waiting: { rows: 1 } });
    expect((await chain())?.entries.ids).toHaveLength(1);
    expect(await found()).toEqual([]);
  });

  describe('shows', () => {
    it.each<[string, string, (id: string) => string]>([
      [
        'another actor',
        `update admin_audit set actor = 'mallory' where note = 'two'`,
        (id) => `admin_audit ${id} was changed`,
      ],
      [
        'another time',
        `update admin_audit set at = at - interval '1 us' where note = 'two'`,
        (id) => `admin_audit ${id} was changed`,
      ],
      [
        'another filter',
        `update admin_audit set filter = '{}' where note = 'two'`,
        (id) => `admin_audit ${id} was changed`,
      ],
      [
        'other tenants',
        `update admin_audit set tenant_ids = '{acme}' where note = 'two'`,
        (id) => `admin_audit ${id} was changed`,
      ],
      ['a removed entry', `delete from admin_audit where note = 'two'`, (id) => `admin_audit ${id} was removed`],
      [
        'other counts',
        `update admin_audit set counts = '{"events":0}' where note = 'two'`,
        (id) => `admin_audit ${id} was changed: its counts are not the ones that were recorded last`,
      ],
    ])('%s', async (_what, statement, expected) => {
      await given();
      const id = await idOf('two');
      await pastTheTriggers(pool, statement);
      expect(await found()).toEqual([expected(id)]);
    });

    it('an entry that was inserted past the triggers', async () => {
      await given();
      const id = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a';
      await pastTheTriggers(
        pool,
        `insert into admin_audit (id, actor, action, filter, counts, correlation_id) values ('${id}', 'a', 'b', '{}', '{}', 'c')`,
      );
      expect(await found()).toEqual([`admin_audit ${id} was inserted past the trigger: no link covers it`]);
    });

    it('an entry that was taken off the list of what has to be covered', async () => {
      await given();
      await act('unseen');
      await pool.query('delete from audit_unchained');
      expect(await found()).toEqual([
        `admin_audit ${await idOf('unseen')} was inserted past the trigger: no link covers it`,
        expect.stringMatching(/^audit_counts \d+ was inserted past the trigger/),
      ]);
    });

    it('an entry that was removed before it was covered', async () => {
      await act('brief');
      const id = await idOf('brief');
      await pastTheTriggers(pool, 'delete from admin_audit');
      await chain();
      expect(await found()).toEqual([`admin_audit ${id} was removed`]);
    });

    it('counts that were changed or removed together with those of the entry', async () => {
      await given();
      const id = await idOf('two');
      await pastTheTriggers(
        pool,
        `update audit_counts set counts = '{"events":0}' where entry_id = '${id}'`,
        `update admin_audit set counts = '{"events":0}' where id = '${id}'`,
      );
      expect(await found()).toEqual([expect.stringMatching(/^audit_counts \d+ was changed$/)]);
      await pastTheTriggers(
        pool,
        `delete from audit_counts where entry_id = '${id}'`,
        `update admin_audit set counts = '{}' where id = '${id}'`,
      );
      expect(await found()).toEqual([expect.stringMatching(/^audit_counts \d+ was removed$/)]);
    });

    it('a link that was removed or changed', async () => {
      await given();
      await pastTheTriggers(pool, `update audit_chain set at = at + interval '1 s' where n = 2`);
      expect(await found()).toEqual(['audit_chain 2 was changed']);
      await pastTheTriggers(pool, 'delete from audit_chain where n = 2');
      expect(await found()).toEqual([
        'audit_chain 2 was removed: 1 is followed by 3',
        `admin_audit ${await idOf('two')} was inserted past the trigger: no link covers it`,
        expect.stringMatching(/^audit_counts \d+ was inserted/),
      ]);
    });

    it('a change with a new digest of its link: the links after it no longer fit', async () => {
      await given();
      await pastTheTriggers(pool, `update admin_audit set actor = 'mallory' where note = 'two'`);
      const [first, second] = await readLinks(pool, '0', 2);
      const again: LinkContent = {
        ...(second as LinkContent),
        entries: { ids: [await idOf('two')], digests: [Buffer.alloc(32)] },
      };
      const digest = linkDigest(first?.digest ?? NO_LINK, again).toString('hex');
      await pastTheTriggers(
        pool,
        `update audit_chain set entry_digests = '{"\\\\x${'00'.repeat(32)}"}', digest = '\\x${digest}' where n = 2`,
      );
      expect(await found()).toEqual([`admin_audit ${await idOf('two')} was changed`, 'audit_chain 3 was changed']);
    });

    it('a chain that was cut or made again, if a link is known from the log', async () => {
      await given();
      const links = await readLinks(pool, '0', 10);
      const known = links.map(({ n, digest }) => ({ n, digest: digest.toString('hex') }));
      expect(await found(known)).toEqual([]);
      await pastTheTriggers(
        pool,
        `delete from audit_counts where entry_id = '${await idOf('three')}'`,
        `delete from admin_audit where note = 'three'`,
        'delete from audit_chain where n = 3',
      );
      expect(await found()).toEqual([]);
      expect(await found(known)).toEqual(['audit_chain 3 was removed: it is known, but missing']);
      await act('forged');
      await chain();
      expect(await found()).toEqual([]);
      expect(await found(known)).toEqual(['audit_chain 3 was made again: its digest is not the one that is known']);
    });
  });

  it('can be compared in its last links alone', async () => {
    await given();
    await pastTheTriggers(pool, `update admin_audit set actor = 'mallory' where note = 'one'`);
    expect((await verifyChain(pool, { lastLinks: 2 })).tampering).toEqual([]);
    expect((await verifyChain(pool, { lastLinks: 3 })).tampering).toHaveLength(1);
    expect((await verifyChain(pool, { lastLinks: 100 })).tampering).toHaveLength(1);
  });

  it('takes what the build before writes', async () => {
    await pool.query(
      `insert into admin_audit (id, actor, action, filter, counts, note, correlation_id)
       values ('01a20bbe-19c6-756a-9bb1-3e2e8e86f56b', 'admin', 'dlq.retry', '{}', '{}', null, 'c')`,
    );
    await pool.query(
      `update admin_audit set counts = '{"retried": 2}' where id = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56b'`,
    );
    await chain();
    expect(await verifyChain(pool)).toMatchObject({ tampering: [], rows: 2 });
  });

  it('records refused requests', async () => {
    const first = { endpoint: 'GET /v1/admin/audit', credentialId: undefined, correlationId: 'c' };
    await recordRefused(pool, { operator: undefined, address: '192.0.2.7', reason: 'wrong', count: 300, first });
    expect(await countRows(pool, `admin_audit where action = 'access.refused' and counts = '{"refused":300}'`)).toBe(1);
    await chain();
    expect(await found()).toEqual([]);
  });
});
