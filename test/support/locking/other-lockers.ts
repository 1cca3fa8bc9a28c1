import { randomUUID } from 'node:crypto';
import { inTransaction } from '../../../src/db/pool';
import { forgetActionKeys } from '../../../src/db/retention/action-keys.queries';
import { deleteExpiredKeys } from '../../../src/db/retention/prune-keys.queries';
import { requeueFailed } from '../../../src/event-state/failed-entries.queries';
import { forgetTenantRests, noteTenantRests } from '../../../src/event-state/tenant-rests.queries';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { storeEvents } from '../../../src/ingest/store/store-batch.queries';
import {
  giveBackEntries,
  markFailed,
  markPublished,
  releaseEntries,
  releaseLeasesTakenBefore,
  type Lease,
} from '../../../src/outbox/close-entries.queries';
import { leaseDueEntries } from '../../../src/outbox/lease-entries.queries';
import { forgetSettledStarts } from '../../../src/event-state/forget-events.queries';
import { deleteStrayEntries } from '../../../src/outbox/retention.queries';
import { clearStarts, markStarts } from '../../../src/worker/crashes/crash-counts.queries';
import { addUsage } from '../../../src/worker/handlers/usage-meter.queries';
import { prepared } from '../events';
import type { Locker, LockedRows } from './locker';

/** The lease on the entries of the test. */
export const TOKEN = randomUUID();

/** A publisher closes every entry of its lease in one way only. */
const leaseOn = (entries: readonly string[], way: 0 | 1 | 2): Lease => ({
  token: TOKEN,
  ids: entries.filter((id) => Number(id) % 3 === way),
  oldestCreatedAt: '2001-01-01T00:00:00Z',
  newestCreatedAt: '2001-01-02T00:00:00Z',
});
const claim = () => ({ token: randomUUID(), afterLane: '', without: [], limit: 1_000, leaseSeconds: 30 });

const events = new Map<string, ReturnType<typeof prepared>>();
/** The event whose idempotency key the test has named after this id. */
export function preparedFor(id: string): ReturnType<typeof prepared> {
  const known = events.get(id) ?? prepared({}, { idempotencyKey: `key-${id}` });
  events.set(id, known);
  return { ...known, event: { ...known.event, id: uuidV7() } };
}

const usage = (ids: readonly string[]) =>
  ids.map((id) => ({ tenantId: `tenant-${id}`, day: '2026-01-01', type: 'order.paid', events: 1, bytes: 1 }));
/** Half of them ended long ago. */
const restsOf = (ids: readonly string[]) =>
  ids.map((id, i) => ({ tenantId: `tenant-${id}`, restMs: i % 2 === 0 ? Math.random() * 1_000 : -100_000 }));
const pages = { from: 0, to: 1_000_000, retentionDays: 1 };

/** What locks several rows of tables that are not about the state of events. */
export const OTHER_LOCKERS: readonly Locker[] = [
  { name: 'leaseDueEntries', tables: ['outbox'], run: (pool) => leaseDueEntries(pool, claim()) },
  outbox('giveBackEntries', (pool, { entries }) => giveBackEntries(pool, leaseOn(entries, 2))),
  outbox('markPublished', (pool, { entries }) => markPublished(pool, leaseOn(entries, 0))),
  outbox('markFailed', (pool, { entries }) => markFailed(pool, leaseOn(entries, 1), 'too large')),
  outbox('releaseEntries', (pool, { entries }) =>
    releaseEntries(pool, leaseOn(entries, 2), { reason: 'no confirm', waitSeconds: 0, unroutable: false }),
  ),
  outbox('releaseLeasesTakenBefore', (pool) => releaseLeasesTakenBefore(pool, '2100-01-01T00:00:00Z')),
  outbox('requeueFailed', (pool, { entries }) => requeueFailed(pool, { ids: entries, limit: 1_000 })),
  outbox('deleteStrayEntries', (pool) => deleteStrayEntries(pool, 1, 1_000)),
  {
    name: 'markStarts',
    tables: ['crash_trials'],
    run: (pool, { ids }) => inTransaction(pool, (db) => markStarts(db, ids)),
  },
  {
    name: 'clearStarts',
    tables: ['crash_trials'],
    run: (pool, { ids }) => inTransaction(pool, (db) => clearStarts(db, ids)),
  },
  { name: 'forgetSettledStarts', tables: ['crash_trials'], run: (pool) => forgetSettledStarts(pool, 1_000) },
  {
    name: 'addUsage',
    tables: ['usage_daily'],
    run: (pool, { ids }) => inTransaction(pool, (db) => addUsage(db, usage(ids))),
  },
  {
    name: 'noteTenantRests',
    tables: ['tenant_rests'],
    run: (pool, { ids }) => noteTenantRests(pool, restsOf(ids)),
  },
  { name: 'forgetTenantRests', tables: ['tenant_rests'], run: (pool) => forgetTenantRests(pool) },
  {
    name: 'storeEvents',
    tables: ['idempotency_keys'],
    run: (pool, { ids }) => storeEvents(pool, ids.map(preparedFor)),
  },
  {
    name: 'forgetActionKeys',
    tables: ['admin_audit'],
    run: (pool) => inTransaction(pool, (db) => forgetActionKeys(db, { retentionDays: 7, limit: 1_000 })),
  },
  { name: 'deleteExpiredKeys', tables: ['idempotency_keys'], run: (pool) => deleteExpiredKeys(pool, pages) },
];

function outbox(name: string, run: (...given: Parameters<Locker['run']>) => Promise<unknown>): Locker {
  return { name, tables: ['outbox'], run: (pool, rows: LockedRows) => run(pool, rows) };
}

/** Query functions that lock at most one row, or only rows that their own transaction has inserted or locked. */
export const NO_LOCKERS: Readonly<Record<string, string>> = {
  failAttempts: 'attempts that this transaction has inserted',
  withdrawAttempts: 'attempts that this transaction has inserted',
  insertUnderReplay: 'rows of a replay that this transaction has inserted',
  recordDispatched: 'rows of a replay that this transaction has locked',
  recordSent: 'rows of a replay that this transaction has locked',
  recordSkipped: 'rows of a replay that this transaction has locked',
  recordSettled: 'rows of a replay that this transaction has locked',
  cancelPending: 'rows of a replay that this transaction has locked',
  recordDeadLetters: 'rows of events whose states this transaction has locked',
  recordEffects: 'rows of events whose states this transaction has locked',
  recordKeyUses: 'rows in the order of their ids; no other statement locks several keys',
  recordOperatorUses: 'rows in the order of their ids; no other statement locks several operators',
  revokeLongExpired: 'keys in the order of their ids, as recordKeyUses',
  forgetDestinationMinutes: 'rows of past days, which no other statement changes, and it skips locked ones',
  markResubmitted: 'rejections that this transaction has locked',
  recordChore: 'one row',
  recordQuotaRefusal: 'one row',
  forgetQuotaRefusals: 'rows of past days, and it skips locked ones',
  insertConditions: 'rows that are written under the lock of their chore',
  markClearing: 'rows that are written under the lock of their chore',
  keepFigures: 'rows that are written under the lock of their chore',
  recordRaises: 'rows that are written under the lock of their chore',
  forgetRaises: 'rows of past hours, and it skips locked ones',
  deleteConditions: 'rows that are written under the lock of their chore',
  noteLook: 'rows that are written under the lock of their chore',
  noteHeard: 'rows that are written under the lock of their chore',
  noteMinutes: 'rows that are written under the lock of their chore',
  noteJudged: 'rows that are written under the lock of their chore',
  forgetHeard: 'rows that are written under the lock of their chore',
  putExpectation: 'one row, after a lock of the table',
  deleteExpectation: 'one row',
  recordChoreEnd: 'one row',
  recordChoreFailure: 'one row',
  lockAccess: 'one row',
  lockForRevision: 'one row',
  setRevision: 'one row',
  insertTenant: 'one row',
  insertOperator: 'one row',
  changeTenant: 'one row',
  endKey: 'one row',
  revokeKey: 'one row',
  changeOperator: 'one row',
  revokeOperator: 'one row',
  lockReplay: 'one row',
  lockBackfill: 'one row',
  moveBackfill: 'one row',
  finishBackfill: 'one row',
  cancelBackfill: 'one row',
  correctMatched: 'one row',
  parkOvertaking: 'rows of keys that this transaction has locked, and it skips locked ones',
  skipSuperseded: 'rows of keys that this transaction has locked, and it skips locked ones',
  unparkFirst: 'rows of keys that this transaction has locked, and it skips locked ones',
  forgetIdleKeys: 'keys that this transaction has locked',
  rememberLatest: 'rows of keys that this transaction has locked',
  forgetLatest: 'rows that it skips where others have locked them',
  noteFailures: 'rows of deliveries that this transaction has locked',
  forgetOrderedEvents: 'rows of events whose attempts this transaction has opened, in the order of their ids',
  announceHandlers: 'rows in the order of their names, and some that nobody has changed for an hour',
  assignTurns: 'rows of keys that this transaction has locked, and it skips locked ones',
  parkEvents:
    'rows of events without the turn of their key, which this transaction has locked, in the order of their ids',
  dispatchParked: 'rows of keys that this transaction has locked, and it skips locked ones',
  giveUpTurns: 'rows of events whose attempts this transaction has opened, in the order of their ids',
  forgetSettledEvents: 'rows that it skips where others have locked them',
  forgetUnordered: 'rows that it skips where others have locked them',
  takeChangedKeys: 'rows that it skips where others have locked them',
  takeUncheckedKeys: 'rows that it skips where others have locked them',
  forgetEndedFailures: 'rows that it skips where others have locked them',
  releaseUnordered: 'rows that it skips where others have locked them',
  fillDeliveries: 'rows that this transaction inserts, in the order of their keys',
  finishReplay: 'one row',
  cancelReplay: 'one row',
  claimEntry: 'one row',
  recordActionOnEvents: 'rows of an action that this transaction has inserted',
  beginRollup: 'one row',
  recordRolledTo: 'one row',
  makeSlices: 'rows of the roll-up, which one process at a time changes',
  makeMeasure: 'rows of the roll-up, which one process at a time changes',
  makeLateSlice: 'rows of the roll-up, which one process at a time changes',
  sumChanges: 'rows of the roll-up, which one process at a time changes',
  completeAgain: 'rows of the roll-up, which one process at a time changes',
  coarsenRollup: 'rows of the roll-up, which one process at a time changes',
  beginUsage: 'one row',
  recordCountedTo: 'one row',
  makeUsageSlices: 'rows of usage, which one process at a time changes',
  foldUsageSlices: 'rows of usage, which one process at a time changes',
  forgetUsageSlices: 'rows of usage, which one process at a time changes',
  openFrom: 'one row',
  forgetRollup: 'rows of the roll-up, which one process at a time changes, and closings that nobody changes',
  recordCounts: 'one row',
  lockCounts: 'one row',
  recordProgress: 'one row',
  recordEnd: 'one row',
  takeUnchained: 'rows that nobody else has locked',
  lockSealedDestinations: 'rows in the order of their ids; no other statement locks several',
  lockSealedSources: 'rows in the order of their ids; no other statement locks several',
  resealDestination: 'a row that this transaction has locked',
  resealSource: 'a row that this transaction has locked',
  countStart: 'one row',
  resetStarts: 'one row',
  uncountStart: 'one row',
  movePosition: 'one row',
  countDestinations: 'one row',
  lockDestination: 'one row',
  replaceDestination: 'one row',
  disableDestination: 'one row',
  rotateSecret: 'one row',
  pauseDestination: 'one row',
  deleteDestination: 'one row',
  countSources: 'one row',
  lockSource: 'one row',
  replaceSource: 'one row',
  rotateSourceSecret: 'one row',
  rotateSourceToken: 'one row',
  deleteSource: 'one row',
  deleteSamples: 'rows of a source that this transaction has deleted; keepSamples skips them',
  keepSamples: 'rows that nobody else has locked',
  forgetStrayFailures: 'rows of deleted destinations, and it skips locked ones',
  addMinutes: 'rows in the order of their destinations; no other statement locks several',
  beat: 'its own row, and rows that nobody else has locked',
  leaveWorkers: 'one row',
  forgetOrphans: 'rows whose lease only the caller has, and whose deliveries are gone',
  claimDeliveries: 'rows that nobody else has locked',
  holdAttempts: 'the first statement of the transaction of settleErased',
  deleteRetries: 'part of the transaction of settleErased',
  releaseAttempts: 'attempts that this transaction has inserted',
  eraseRevisions: 'rows of events whose states this transaction has locked',
  eraseFailureTexts: 'rows of events whose states this transaction has locked',
  eraseReceiverTexts: 'part of the transaction of skipErasedDeliveries',
  removePayloads: 'rows that nobody else changes; one erasure runs at a time',
  removeRequests: 'rows that nobody else changes; one erasure runs at a time',
  eraseRejections: 'rows in the order of their ids',
  deleteSamplesOfTenant: 'rows in the order of their ids; keepSamples skips locked ones',
  lockErasure: 'one row',
  moveErasure: 'one row',
  endErasure: 'one row',
  awaitStatistics: 'one row',
  claimStatistics: 'rows that nobody else has locked',
  moveStatistics: 'one row',
  countStatisticsFailure: 'one row',
  endWithStatistics: 'one row',
  keepAdminToken: 'one row',
  keepDestinationsKey: 'one row',
  keepGivenKey: 'one row',
  keepInstallationKey: 'one row',
  replaceSealedKey: 'one row',
  settleIn: 'one row',
  moveHome: 'one row',
  becomeNew: 'one row',
  pauseAllDestinations: 'rows in the order of their ids; no other statement locks several',
};
