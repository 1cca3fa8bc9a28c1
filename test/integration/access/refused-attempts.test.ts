import { ENTRIES_OF_STRANGERS, RefusedAttempts } from '../../../src/access/refusals/refused-attempts';
import type { RefusedAttempt } from '../../../src/access/refusals/refused-groups';
import { useDatabase } from '../../support/fixtures/database';

const MINUTE_MS = 60_000;
const REASONS = ['missing', 'malformed', 'unknown', 'wrong', 'expired', 'oidc'] as const;

describe('refused requests to admin endpoints', () => {
  const database = useDatabase();
  let attempts: RefusedAttempts;
  beforeEach(() => (attempts = new RefusedAttempts(database.pool)));

  const attempt = (fields: Partial<RefusedAttempt>): RefusedAttempt => ({
    reason: 'wrong',
    address: '192.0.2.1',
    endpoint: 'GET /v1/admin/audit',
    correlationId: 'c',
    ...fields,
  });
  const recorded = async (): Promise<{ entries: number; refused: number; addresses: number; viewers: number }> => {
    const { rows } = await database.pool.query<Awaited<ReturnType<typeof recorded>>>(
      `select count(*)::int as entries, coalesce(sum((counts->>'refused')::int), 0)::int as refused,
              count(distinct address)::int as addresses, (count(*) filter (where role = 'viewer'))::int as viewers
         from admin_audit where action = 'access.refused'`,
    );
    return rows[0] as Awaited<ReturnType<typeof recorded>>;
  };

  it('of strangers cause at most 16 entries an hour, however many they send, and none is left out of the counts', async () => {
    const before = await recorded();
    let sent = 0;
    for (let minute = 0; minute < 150; minute++) {
      for (let n = 0; n < 40; n++) {
        attempts.note(
          attempt({ reason: REASONS[n % REASONS.length] ?? 'wrong', address: `203.0.113.${(minute + n) % 250}` }),
        );
        sent += 1;
      }
      await attempts.runOnce(minute * MINUTE_MS);
    }
    const during = await recorded();
    expect(during.entries - before.entries).toBeLessThanOrEqual(3 * ENTRIES_OF_STRANGERS);
    expect(during.addresses).toBeGreaterThanOrEqual(9); // the first addresses of an hour are named
    await attempts.beforeApplicationShutdown();
    const after = await recorded();
    expect(after.refused - before.refused).toBe(sent);
    expect(after.entries - during.entries).toBeLessThanOrEqual(7);
  });

  it('of operators are recorded within a minute, also while strangers send many', async () => {
    const before = await recorded();
    for (let n = 0; n < 200; n++) attempts.note(attempt({ address: `203.0.113.${n}` }));
    const operator = { kind: 'operator', id: 'x', name: 'vera', role: 'viewer', tenantIds: null } as const;
    for (let minute = 0; minute < 20; minute++) {
      attempts.note(attempt({ reason: 'role', operator }));
      await attempts.runOnce(minute * MINUTE_MS);
    }
    const after = await recorded();
    expect(after.viewers - before.viewers).toBe(20);
    expect(after.refused - before.refused).toBe(220);
  });
});
