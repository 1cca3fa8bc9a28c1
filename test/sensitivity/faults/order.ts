import type { DeliberateFault } from '../deliberate-fault';

const TESTS = ['test/integration/deliveries/order/ordered-deliveries.test.ts'];
const POSITIONS = ['test/integration/deliveries/order/positions.test.ts'];
const STORE = 'src/ingest/store/store-batch.queries.ts';
const KEYS = 'src/delivery-state/order/ordered-keys.queries.ts';
const EVENTS = 'src/delivery-state/order/ordered-events.queries.ts';
const UPKEEP = 'src/delivery-state/order/keep-order.ts';

/** Faults of the order per key (docs/ordering.md). */
export const FAULTS_IN_ORDER: readonly DeliberateFault[] = [
  {
    name: 'two processes draw positions of an ordered tenant at the same time',
    stage: 'store',
    edits: [{ file: STORE, find: 'pg_advisory_xact_lock(', replace: 'pg_advisory_xact_lock_shared(' }],
    noticedBy: { tests: POSITIONS },
  },
  {
    name: 'later events of a key do not wait for those whose handlers are at work',
    stage: 'delivery',
    edits: [{ file: KEYS, find: 'and not ${HAS_PENDING}', replace: 'and (true or ${HAS_PENDING})' }],
    noticedBy: { tests: TESTS },
  },
  {
    name: 'with skip, later events of a key do not wait for those whose handlers are at work',
    stage: 'delivery',
    edits: [
      {
        file: KEYS,
        find: "or s.status = 'DLQ' and to_.on_poison = 'block')",
        replace: "or s.status = 'DLQ') and to_.on_poison = 'block'",
      },
    ],
    noticedBy: { tests: TESTS },
  },
  {
    name: 'events whose handlers are at work are forgotten',
    stage: 'delivery',
    edits: [{ file: EVENTS, find: 'or s.status is null', replace: 'or s.status is null or s.status is null' }],
    noticedBy: { tests: TESTS },
  },
  {
    name: 'deliveries to an ordered destination are due at once',
    stage: 'delivery',
    edits: [
      {
        file: 'src/delivery-state/record-deliveries.queries.ts',
        find: 'parked: `when key_of_queue is not null then ${PARKED}`',
        replace: 'parked: `when key_of_queue is not null then least(now(), ${PARKED})`',
      },
    ],
    noticedBy: { tests: TESTS },
  },
  {
    name: 'a delivery that has failed for good does not block its key',
    stage: 'delivery',
    edits: [{ file: KEYS, find: 'and not ${HAS_FAILED}', replace: 'and (true or ${HAS_FAILED})' }],
    noticedBy: { tests: TESTS },
  },
  {
    name: 'an earlier delivery that is retried comes after what waits for its next try',
    stage: 'delivery',
    edits: [
      {
        file: KEYS,
        find: 'and (q.position, q.generation) < (head.position, head.generation))',
        replace: 'and false and (q.position, q.generation) < (head.position, head.generation))',
      },
    ],
    noticedBy: { tests: TESTS },
  },
  {
    name: 'a key does not go on when its delivery has ended',
    stage: 'delivery',
    edits: [
      {
        file: 'src/delivery-state/settle-with-health.ts',
        find: 'return turnKeys(db, inOrder, inOrder);',
        replace: 'return turnKeys(db, [], inOrder);',
      },
    ],
    noticedBy: { tests: TESTS },
  },
  {
    name: 'of two events that occurred at the same time, latestOnly skips the second',
    stage: 'delivery',
    edits: [{ file: KEYS, find: 'occurred_at < m.occurred_at', replace: 'occurred_at <= m.occurred_at' }],
    noticedBy: { tests: TESTS },
  },
  {
    name: 'nobody looks at keys that operators have changed',
    stage: 'chores',
    edits: [
      { file: UPKEEP, find: 'takeChangedKeys(db, KEYS_AT_ONCE)', replace: 'takeChangedKeys(db, 0 * KEYS_AT_ONCE)' },
    ],
    noticedBy: { tests: TESTS },
  },
  {
    name: 'nobody looks at keys that stand still',
    stage: 'chores',
    edits: [
      {
        file: UPKEEP,
        find: 'takeUncheckedKeys(db, UNCHECKED_SECONDS, KEYS_AT_ONCE)',
        replace: 'takeUncheckedKeys(db, UNCHECKED_SECONDS, 0 * KEYS_AT_ONCE)',
      },
    ],
    noticedBy: { tests: TESTS },
  },
];
