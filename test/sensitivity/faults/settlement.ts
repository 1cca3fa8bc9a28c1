import type { DeliberateFault } from '../deliberate-fault';
import { calm, under } from './runs';

const FAILURES = 'src/event-state/settle-failures.queries.ts';

export const FAULTS_IN_SETTLEMENT: readonly DeliberateFault[] = [
  {
    name: 'a batch that succeeds while it is isolated is not metered',
    stage: 'settlement',
    invariant: 'I7',
    edits: [
      {
        file: 'src/worker/run/transactional-handlers.ts',
        find: "await db.query('release savepoint part');",
        replace: "await db.query('rollback to savepoint part');",
      },
    ],
    noticedBy: under(['deadlock-postgres'], 'usage'),
  },
  {
    name: 'events in a batch with a failed event are not metered',
    stage: 'settlement',
    invariant: 'I7',
    edits: [
      {
        file: 'src/worker/settle/settle-pass.ts',
        find: '    const withState = eventsOf(',
        replace:
          '    if (items.some(({ unfinished }) => unfinished.size > 0)) return items;\n    const withState = eventsOf(',
      },
    ],
    noticedBy: calm('usage'),
  },
  {
    name: 'attempt numbers start again after each retry',
    stage: 'settlement',
    invariant: 'I6',
    edits: [
      {
        file: FAILURES,
        find: 'failures.map((failure) => failure.attemptNumber - (isAttempt(failure) ? 0 : 1)),',
        replace: 'failures.map((failure) => (isAttempt(failure) ? 0 : failure.attemptNumber - 1)),',
      },
    ],
    noticedBy: calm('attempts'),
  },
  {
    name: 'a postponed event is never scheduled',
    stage: 'settlement',
    invariant: 'I13',
    edits: [
      {
        file: FAILURES,
        find: "    decision.kind === 'dead-letter' ? [] : [{ event, delayMs: decision.delayMs }],",
        replace: "    decision.kind !== 'retry' ? [] : [{ event, delayMs: decision.delayMs }],",
      },
    ],
    noticedBy: under(['kill-worker', 'stop-worker'], 'unsettled', 'left over'),
  },
  {
    name: 'a dead letter is not published to events.dlq',
    stage: 'settlement',
    invariant: 'I8',
    edits: [
      {
        file: FAILURES,
        find: "appendEntries('dlq', 'dead')",
        replace: "appendEntries('dlq', '(select * from dead where false) as none')",
      },
    ],
    noticedBy: calm('dead letter'),
  },
  {
    name: 'retries do not wait for their backoff',
    stage: 'settlement',
    edits: [
      {
        file: FAILURES,
        find: 'waits.map(({ delayMs }) => Math.round(delayMs)),',
        replace: 'waits.map(({ delayMs }) => Math.round(0 * delayMs)),',
      },
    ],
    noticedBy: calm('attempts'),
  },
  {
    name: 'the first failure makes a dead letter',
    stage: 'settlement',
    edits: [
      {
        file: 'src/worker/settle/retry-policy.ts',
        find: '  if (attemptNumber >= rules.MAX_RETRY_ATTEMPTS) {',
        replace: '  if (attemptNumber >= 1 + 0 * rules.MAX_RETRY_ATTEMPTS) {',
      },
    ],
    noticedBy: calm('failed by an outage'),
  },
];
