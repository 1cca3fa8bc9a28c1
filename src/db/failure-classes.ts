/**
 * What a failed statement says about the data it carried:
 * - data: PostgreSQL can never store this content. A single event is rejected; in a batch, bisection finds it.
 * - transient: the same statement may succeed when repeated at once
 * - unavailable: PostgreSQL cannot do its work now, whatever the statement carries. Callers get 503 and send again; of our
 *   own statements, none of these failures is an attempt of an event.
 * - unexpected: everything else; most likely a bug in StreamForge
 */
export type PgFailure = 'data' | 'transient' | 'unavailable' | 'unexpected';

export interface FailureClass {
  /** Named in the log. */
  name: string;
  failure: Exclude<PgFailure, 'unexpected'>;
  /** SQLSTATEs, or the first two characters of many. The whole SQLSTATE counts first. */
  codes: readonly string[];
  /** What follows "PostgreSQL" in the log and in /ready. Names no host, role or table. */
  says: string;
  /**
   * What /ready says for a while after a statement failed, where its own look at PostgreSQL succeeds all the same. Unset
   * where that look is enough.
   */
  readiness?: 'not-ready' | 'degraded';
  /** More likely a fault of the set-up when it is met at the start, which therefore ends with a sentence. */
  ofSetUp?: true;
  /**
   * One event may cause it too, by what a handler has done in the same transaction, or a trigger does. It is then no fault
   * of PostgreSQL, and waiting would never end (worker/settle/own-statements.ts).
   */
  maybeOfOne?: true;
}

/** No SQLSTATE says so: no answer, no route, a deadline of our own. */
export const LOST: FailureClass = {
  name: 'connection-lost',
  failure: 'unavailable',
  // 25P03 and 25P04 end the connection of a transaction that took too long, 57P05 that of an idle session.
  codes: ['08', '25P03', '25P04', '57P05'],
  says: 'does not answer',
};

/** By statement_timeout, or by an operator. */
export const CANCELLED: FailureClass = {
  name: 'cancelled',
  failure: 'unavailable',
  codes: ['57014'],
  says: 'cancels statements that take too long',
};

/** The SQLSTATEs that do not mean a fault of the statement. */
export const FAILURE_CLASSES: readonly FailureClass[] = [
  // The values themselves: too long, not representable, too complex, against a constraint.
  { name: 'content', failure: 'data', codes: ['22', '23', '54'], says: 'cannot store the content' },
  // Serialisation, deadlock, lock timeout: another transaction was in the way.
  {
    name: 'contention',
    failure: 'transient',
    codes: ['40001', '40P01', '55P03'],
    says: 'is busy with other statements',
  },
  LOST,
  CANCELLED,
  // A standby, a provider that protects a full disk, an operator during a move.
  { name: 'read-only', failure: 'unavailable', codes: ['25006'], says: 'is read-only', maybeOfOne: true },
  // Of the server, the database or the role.
  {
    name: 'no-connections',
    failure: 'unavailable',
    codes: ['53300'],
    says: 'has no free connection',
    readiness: 'degraded',
  },
  // Reads still succeed.
  { name: 'disk-full', failure: 'unavailable', codes: ['53100'], says: 'has no disk space', readiness: 'not-ready' },
  // Memory, a limit of the configuration.
  { name: 'no-resources', failure: 'unavailable', codes: ['53'], says: 'is out of a resource', readiness: 'degraded' },
  // Starting, recovering, shutting down, or ended by an operator.
  { name: 'stopped', failure: 'unavailable', codes: ['57'], says: 'is starting or shutting down' },
  // The operating system below it: an I/O error, a file that is missing.
  { name: 'system-error', failure: 'unavailable', codes: ['58'], says: 'has a system error', readiness: 'degraded' },
  // A password that is being rotated, a role that is locked or dropped. Open connections go on.
  {
    name: 'access-refused',
    failure: 'unavailable',
    codes: ['28'],
    says: 'refuses the user or password',
    readiness: 'degraded',
    ofSetUp: true,
  },
  // Grants that are being changed, or were lost with a table that was replaced.
  {
    name: 'right-missing',
    failure: 'unavailable',
    codes: ['42501'],
    says: 'refuses a right',
    readiness: 'degraded',
    ofSetUp: true,
    maybeOfOne: true,
  },
  // The database, a schema, a table, a function or (42P10) a unique index is missing, as during a restore; or (55000) the
  // database takes no connections.
  {
    name: 'being-replaced',
    failure: 'unavailable',
    codes: ['3D000', '3F000', '42P01', '42883', '42P10', '55000', '57P04'],
    says: 'lacks the database or a part of it',
    readiness: 'degraded',
    ofSetUp: true,
    maybeOfOne: true,
  },
];
