import type { Db } from '../../db/pool';
import { listKeys, type ApiKey } from '../../admin/keys/keys.queries';
import { timeOfDay } from '../../event/time-of-day';
import { lineSafe } from '../../observability/log-format';
import { say } from '../../runtime/command';

const PAGE = 500;

/** Prints the keys of one tenant, or of all, one a line. */
export async function printKeys(db: Db, tenantId: string | null): Promise<void> {
  let before: string | null = null;
  for (;;) {
    const page: ApiKey[] = await listKeys(db, { tenantId, before, limit: PAGE });
    if (before === null && page.length === 0) say('There are no keys.');
    for (const key of page) say(lineOf(key, timeOfDay().toISOString()));
    before = page.at(-1)?.id ?? null;
    if (page.length < PAGE) return;
  }
}

function lineOf({ id, tenantId, name, scopes, lastUsedAt, ...key }: ApiKey, now: string): string {
  const used = lastUsedAt === null ? 'never used' : `last used ${lastUsedAt}`;
  return [id, stateOf(key, now).padEnd(32), scopes.join(',').padEnd(11), tenantId, lineSafe(name), `(${used})`].join(
    '  ',
  );
}

function stateOf({ revokedAt, expiresAt }: Pick<ApiKey, 'revokedAt' | 'expiresAt'>, now: string): string {
  if (revokedAt !== null) return `revoked ${revokedAt}`;
  if (expiresAt === null) return 'valid';
  return `${expiresAt <= now ? 'expired' : 'expires'} ${expiresAt}`;
}
