import type { Db } from '../../db/pool';
import { areRestored, singleRow } from '../../db/history/single-row';
import type { SealedSource } from './source';

const COLUMNS = `
  id, tenant_id as "tenantId", name, uid, provider, verification, mapping, answers, accept, handshake,
  expect_every_seconds as "expectEverySeconds", active_hours as "activeHours", learn_silence as "learnSilence", allow_unverified as "allowUnverified", status, secrets,
  second_secret_until as "secondSecretUntil", token_digest as "tokenDigest", token_hint as "tokenHint",
  previous_token_digest as "previousTokenDigest", previous_token_until as "previousTokenUntil", revision,
  created_at as "createdAt", updated_at as "updatedAt"`;

/** Returns the number that every change of a source raises; a bigint, as text. */
export async function readSourcesVersion(db: Db): Promise<string> {
  const { rows } = await db.query<{ version: string }>({
    name: 'read-sources-version',
    text: `select version from sources_version where ${areRestored('sources')}`,
  });
  return singleRow(rows, 'sources_version').version;
}

export async function readSources(db: Db, limit: number): Promise<SealedSource[]> {
  const { rows } = await db.query<SealedSource>(`select ${COLUMNS} from sources order by id limit $1`, [limit]);
  return rows;
}

export async function findSource(db: Db, id: string): Promise<SealedSource | undefined> {
  const { rows } = await db.query<SealedSource>(`select ${COLUMNS} from sources where id = $1`, [id]);
  return rows[0];
}

/** Locks a source until the end of the transaction, so that changes of some of its fields do not undo each other. */
export async function lockSource(db: Db, id: string): Promise<SealedSource | undefined> {
  const { rows } = await db.query<SealedSource>(`select ${COLUMNS} from sources where id = $1 for update`, [id]);
  return rows[0];
}

export async function findSourceByUid(db: Db, tenantId: string, uid: string): Promise<SealedSource | undefined> {
  const { rows } = await db.query<SealedSource>(`select ${COLUMNS} from sources where tenant_id = $1 and uid = $2`, [
    tenantId,
    uid,
  ]);
  return rows[0];
}

/** Returns sources with an id below `before`, newest first: of one tenant, of several, or of all. */
export async function listSources(
  db: Db,
  page: { tenantId: string | null; tenantIds: readonly string[] | null; before: string | undefined; limit: number },
): Promise<SealedSource[]> {
  const { rows } = await db.query<SealedSource>(
    `select ${COLUMNS} from sources
      where ($1::text is null or tenant_id = $1)
        and ($2::uuid is null or id < $2)
        and ($4::text[] is null or tenant_id = any ($4))
      order by id desc limit $3`,
    [page.tenantId, page.before ?? null, page.limit, page.tenantIds],
  );
  return rows;
}

export interface SourceCounts {
  ofTenant: number;
  ofInstallation: number;
}

/** Counts under a lock until the end of the transaction, so that two creations cannot both take the last place. */
export async function countSources(db: Db, tenantId: string): Promise<SourceCounts> {
  await db.query('select from sources_version for update');
  const { rows } = await db.query<SourceCounts>(
    `select count(*)::int as "ofInstallation", (count(*) filter (where tenant_id = $1))::int as "ofTenant" from sources`,
    [tenantId],
  );
  return rows[0] as SourceCounts;
}

export type NewSource = Pick<
  SealedSource,
  | 'id'
  | 'tenantId'
  | 'name'
  | 'uid'
  | 'provider'
  | 'verification'
  | 'mapping'
  | 'answers'
  | 'accept'
  | 'handshake'
  | 'expectEverySeconds'
  | 'activeHours'
  | 'learnSilence'
  | 'allowUnverified'
  | 'status'
  | 'secrets'
  | 'tokenDigest'
  | 'tokenHint'
>;

const json = (value: unknown): string | null => (value === null || value === undefined ? null : JSON.stringify(value));

export async function insertSource(db: Db, fresh: NewSource): Promise<SealedSource> {
  const { rows } = await db.query<SealedSource>(
    `insert into sources (id, tenant_id, name, uid, provider, verification, mapping, answers, accept,
                          expect_every_seconds, allow_unverified, status, secrets, token_digest, token_hint,
                          handshake, active_hours, learn_silence)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) returning ${COLUMNS}`,
    [
      fresh.id,
      fresh.tenantId,
      fresh.name,
      fresh.uid,
      fresh.provider,
      json(fresh.verification),
      json(fresh.mapping),
      json(fresh.answers),
      json(fresh.accept),
      fresh.expectEverySeconds,
      fresh.allowUnverified,
      fresh.status,
      fresh.secrets,
      fresh.tokenDigest,
      fresh.tokenHint,
      fresh.handshake,
      json(fresh.activeHours),
      fresh.learnSilence,
    ],
  );
  return rows[0] as SealedSource;
}

export type ReplacedSource = Omit<NewSource, 'id' | 'tenantId' | 'tokenDigest' | 'tokenHint'> &
  Pick<SealedSource, 'secondSecretUntil'>;

/** Writes all fields that a caller may change. Returns undefined when there is no such source. */
export async function replaceSource(db: Db, id: string, next: ReplacedSource): Promise<SealedSource | undefined> {
  const { rows } = await db.query<SealedSource>(
    `update sources
        set name = $2, uid = $3, provider = $4, verification = $5, mapping = $6, answers = $7, accept = $8,
            expect_every_seconds = $9, allow_unverified = $10, status = $11, secrets = $12, second_secret_until = $13,
            handshake = $14, active_hours = $15, learn_silence = $16
      where id = $1 returning ${COLUMNS}`,
    [
      id,
      next.name,
      next.uid,
      next.provider,
      json(next.verification),
      json(next.mapping),
      json(next.answers),
      json(next.accept),
      next.expectEverySeconds,
      next.allowUnverified,
      next.status,
      next.secrets,
      next.secondSecretUntil,
      next.handshake,
      json(next.activeHours),
      next.learnSilence,
    ],
  );
  return rows[0];
}

/** Makes `secret` the first one. The one that was first counts for `overlapSeconds` more. */
export async function rotateSourceSecret(
  db: Db,
  id: string,
  { secret, overlapSeconds }: { secret: Buffer; overlapSeconds: number },
): Promise<SealedSource | undefined> {
  const { rows } = await db.query<SealedSource>(
    `update sources
        set secrets = array[$2::bytea] || case when $3 > 0 then secrets[1:1] else '{}' end,
            second_secret_until = case when $3 > 0 then now() + make_interval(secs => $3) end
      where id = $1 returning ${COLUMNS}`,
    [id, secret, overlapSeconds],
  );
  return rows[0];
}

/**
 * Gives the source a new token. The one that it had works for `overlapSeconds` more. With `keepPrevious`, the one before it
 * works on until its own end instead, if that is still to come.
 */
export async function rotateSourceToken(
  db: Db,
  id: string,
  rotation: { tokenDigest: Buffer; tokenHint: string; overlapSeconds: number; keepPrevious?: boolean },
): Promise<SealedSource | undefined> {
  const { rows } = await db.query<SealedSource>(
    `update sources
        set previous_token_digest = case when $5 and previous_token_until > now() then previous_token_digest
                                         when $4 > 0 then token_digest end,
            previous_token_until = case when $5 and previous_token_until > now() then previous_token_until
                                        when $4 > 0 then now() + make_interval(secs => $4) end,
            token_digest = $2, token_hint = $3
      where id = $1 returning ${COLUMNS}`,
    [id, rotation.tokenDigest, rotation.tokenHint, rotation.overlapSeconds, rotation.keepPrevious === true],
  );
  return rows[0];
}

export async function deleteSource(db: Db, id: string): Promise<boolean> {
  const { rowCount } = await db.query('delete from sources where id = $1', [id]);
  return rowCount === 1;
}
