import type { Pool } from 'pg';
import { verifyChain, type ChainReport } from '../../audit/verify-chain';
import { closePool } from '../../db/close-pool';
import { startEmbeddedPostgres } from '../../db/embedded/embedded-postgres';
import { readClock } from '../../db/clock.queries';
import { readMigrationStatus } from '../../db/migrations/migration-plan';
import { createPool, onOneConnection } from '../../db/pool';
import { listChoreRecords } from '../../db/retention/chore-records.queries';
import { overdueChores, type ChoreRecord } from '../../db/retention/chores';
import { keepsNoState } from '../../db/session/keep-no-state';
import { readPlace, type InstallationPlace } from '../../installation/installation-home.queries';
import { aheadMs, clockFault } from '../../event/time-of-day';
import { explainStartFailure } from '../../runtime/start-failure';
import { checkInstallationKey, type KeySettings } from './check-installation-key';
import { checkSecrets } from './check-secrets';
import { advice, isAtLeast, ok, problem, type Finding } from './finding';
import { readServerFacts, readStoredFacts, type ServerFacts, type StoredFacts } from './postgres.queries';

/** Links that doctor compares. `npm run audit:verify` compares all. */
const AUDIT_LINKS = 100;
/** A publisher makes a link every minute. */
const MOST_AUDIT_WAIT_SECONDS = 300;
const LEAST_POSTGRES = '15';
/** The maximum of one process (db/pool.ts). */
const CONNECTIONS_PER_PROCESS = 10;

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

/** @param differenceMs by how much the clock of this machine is ahead of the server's */
export function assessServer(facts: ServerFacts, differenceMs: number): Finding[] {
  const findings: Finding[] = [];
  if (!isAtLeast(facts.version, LEAST_POSTGRES)) {
    findings.push(problem('postgres', `version ${facts.version} is older than ${LEAST_POSTGRES}: upgrade the server.`));
  }
  if (facts.encoding !== 'UTF8') {
    findings.push(problem('postgres', `the encoding of the database is ${facts.encoding}: create it with UTF8.`));
  }
  if (facts.fsync === 'off' || facts.synchronousCommit === 'off') {
    findings.push(
      problem('postgres', 'fsync or synchronous_commit is off, so a crash can lose accepted events: turn both on.'),
    );
  }
  const fault = clockFault(differenceMs);
  if (fault !== undefined) findings.push(advice('postgres', fault));
  if (facts.maxConnections - facts.connections < CONNECTIONS_PER_PROCESS) {
    findings.push(
      problem(
        'postgres',
        `${facts.connections} of ${facts.maxConnections} connections are in use, and a process needs up to ${CONNECTIONS_PER_PROCESS}: raise max_connections.`,
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('postgres', `version ${facts.version}, durable, UTF8.`)];
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

/** The embedded server has one account, which is its superuser. */
export function assessAccount({ isSuperuser }: Pick<ServerFacts, 'isSuperuser'>): Finding[] {
  if (!isSuperuser) return [];
  return [
    advice(
      'account',
      'the account of DATABASE_URL is a superuser, who can switch off the protection of the audit trail: use one that only owns the database.',
    ),
  ];
}

/** Whether publishers do what they do for the installation. */
export function assessChores(records: readonly ChoreRecord[]): Finding[] {
  return overdueChores(records).map(({ name, why }) => {
    const rights = records.some((one) => one.name === name && one.errorCode === '42501');
    const remedy = rights
      ? 'grant the rights of docs/postgresql.md'
      : 'start a publisher, or read the log of those that run';
    return problem('upkeep', `${name} ${why}: ${remedy}.`);
  });
}

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

export function assessStored(facts: StoredFacts): Finding[] {
  const findings: Finding[] = [];
  if (!facts.partitionForTomorrow) {
    findings.push(
      problem(
        'schema',
        'there is no partition for tomorrow, because no publisher has run for a week: start one, or run npm run migrate.',
      ),
    );
  }
  if (facts.strays) {
    findings.push(
      advice('schema', 'a default partition contains rows: run npm run migrate, which moves the rows of recent days.'),
    );
  }
  if (facts.failedEntries > 0) {
    findings.push(
      advice(
        'outbox',
        `${facts.failedEntries} entries are FAILED: read their last_error at GET /v1/admin/outbox, then requeue them.`,
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [ok('schema', 'up to date, with partitions for the coming days and no failed entries.')];
}
