import { RESERVED_TENANT } from '../../event/tenant';
import { clockFault } from '../../event/time-of-day';
import { overdueChores, type ChoreRecord } from '../retention/chores';
import type { ReservedTenantFacts, ServerFacts, StoredFacts } from './database-facts.queries';
import { advice, isAtLeast, ok, problem, type Finding } from './finding';

const LEAST_POSTGRES = '15';
/** The maximum of one process (db/pool.ts). */
const CONNECTIONS_PER_PROCESS = 10;

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

export function assessStored(facts: Omit<StoredFacts, 'daysAhead'>): Finding[] {
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

/** The tenant of operator events may have been an ordinary one before the upgrade. */
export function assessReservedTenant({ sources, keys, isUsed }: ReservedTenantFacts): Finding[] {
  const has = [
    ...(sources > 0 ? [`sources (${sources})`] : []),
    ...(keys > 0 ? [`API keys (${keys})`] : []),
    ...(isUsed ? ['events of producers'] : []),
  ];
  if (has.length === 0) return [];
  return [
    advice(
      'tenant',
      `the tenant ${RESERVED_TENANT} is reserved for operator events, and has ${has.join(', ')} of before: its producers are ` +
        'refused. Give them another tenant, delete its sources, revoke its keys, and delete or disable those of its ' +
        'destinations that must not get operator events.',
    ),
  ];
}
