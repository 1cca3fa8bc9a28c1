import type { Pool } from 'pg';
import { verifyChain, type ChainReport } from '../../audit/verify-chain';
import { closePool } from '../../db/close-pool';
import { startEmbeddedPostgres } from '../../db/embedded/embedded-postgres';
import { readClock } from '../../db/clock.queries';
import {
  assessAccount,
  assessChores,
  assessReservedTenant,
  assessServer,
  assessStored,
} from '../../db/condition/assess-database';
import { readReservedTenantFacts, readServerFacts, readStoredFacts } from '../../db/condition/database-facts.queries';
import { advice, ok, problem, type Finding } from '../../db/condition/finding';
import { readMigrationStatus } from '../../db/migrations/migration-plan';
import { createPool, onOneConnection } from '../../db/pool';
import { listChoreRecords } from '../../db/retention/chore-records.queries';
import { keepsNoState } from '../../db/session/keep-no-state';
import { readPlace, type InstallationPlace } from '../../installation/installation-home.queries';
import { aheadMs } from '../../event/time-of-day';
import { explainStartFailure } from '../../runtime/start-failure';
import { checkInstallationKey, type KeySettings } from './check-installation-key';
import { checkSecrets } from './check-secrets';

/** Links that doctor compares. `npm run audit:verify` compares all. */
const AUDIT_LINKS = 100;
/** A publisher makes a link every minute. */
const MOST_AUDIT_WAIT_SECONDS = 300;

export async function checkPostgres(databaseUrl: string, keys: KeySettings): Promise<Finding[]> {
  let pool: Pool | undefined;
  try {
    pool = createPool(databaseUrl, 'streamforge doctor');
    const [facts, clock] = [await readServerFacts(pool), await readClock(pool)];
    const schema = await checkSchema(databaseUrl, pool, keys);
    const pooled = await onOneConnection(pool, (client) => Promise.resolve(keepsNoState(client)));
    return [...assessServer(facts, aheadMs(clock)), ...assessPooler(pooled), ...assessAccount(facts), ...schema];
  } catch (error) {
    return [problem('postgres', explainStartFailure(error))];
  } finally {
    if (pool) await closePool(pool);
  }
}

/** The embedded server runs only while it is used, so this starts it. `npm start` creates its schema. */
export async function checkEmbedded(dataDir: string, keys: KeySettings): Promise<Finding[]> {
  try {
    const embedded = await startEmbeddedPostgres(dataDir);
    try {
      const findings = await checkPostgres(embedded.url, keys);
      const withoutSchema = findings.filter(({ what }) => !['schema', 'outbox', 'account'].includes(what));
      return [
        ...withoutSchema,
        ok('postgres', `embedded, with its data in ${embedded.directory}; npm start migrates it.`),
      ];
    } finally {
      await embedded.stop();
    }
  } catch (error) {
    return [problem('postgres', explainStartFailure(error))];
  }
}

async function checkSchema(databaseUrl: string, db: Pool, keys: KeySettings): Promise<Finding[]> {
  const { pending, fromNewerBuild } = await readMigrationStatus(databaseUrl);
  if (pending.length > 0) {
    return [
      problem('schema', `${pending.length} migrations are missing (${pending.join(', ')}): run npm run migrate.`),
    ];
  }
  const newer = fromNewerBuild.map((name) =>
    advice(
      'schema',
      `a newer build has run ${name}: this build works with it during an upgrade, so complete the upgrade.`,
    ),
  );
  return [
    ...newer,
    ...assessStored(await readStoredFacts(db)),
    ...assessChores(await listChoreRecords(db)),
    ...assessReservedTenant(await readReservedTenantFacts(db)),
    ...assessPlace(await readPlace(db)),
    ...assessAudit(await verifyChain(db, { lastLinks: AUDIT_LINKS })),
    ...(await checkSecrets(db, keys.DESTINATIONS_SECRET_KEY)),
    ...(await checkInstallationKey(db, keys)),
  ];
}

/** A copy of a database is told by its place. */
export function assessPlace({ home, here }: Pick<InstallationPlace, 'home' | 'here'>): Finding[] {
  if (home === null || home === here) return [];
  return [
    problem(
      'installation',
      `the database was restored or moved from ${home} to ${here}, so nothing is published, consumed or delivered: run npm run installation -- --confirm if it takes the place of the other one, or -- --new if both are to run.`,
    ),
  ];
}

const assessPooler = (pooled: boolean): Finding[] =>
  pooled ? [ok('pooler', 'a pooler is in front of PostgreSQL, so nothing is kept in sessions.')] : [];

/** The rows that commit while no publisher runs wait for one. */
export function assessAudit({ tampering: [first], waiting }: Pick<ChainReport, 'tampering' | 'waiting'>): Finding[] {
  if (first) {
    return [
      problem('audit', `${first.row} ${first.what}, so the audit trail cannot be trusted: run npm run audit:verify.`),
    ];
  }
  if (waiting.seconds <= MOST_AUDIT_WAIT_SECONDS) return [ok('audit', 'the audit trail agrees with its chain.')];
  return [
    advice(
      'audit',
      `${waiting.rows} rows of the audit trail have not been chained for ${Math.round(waiting.seconds)} s, so changes of them would not show: start a publisher.`,
    ),
  ];
}
