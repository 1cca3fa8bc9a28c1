import type { DeliberateFault } from '../deliberate-fault';
import { calm, calmWithReconciler, under } from './runs';

const DUE = 'src/event-state/dispatch-due-retries.queries.ts';

export const FAULTS_IN_CHORES: readonly DeliberateFault[] = [
  {
    name: 'one retry of 16 is deleted without a dispatch',
    stage: 'chores',
    invariant: 'I13',
    edits: [
      {
        file: DUE,
        find: "and s.dispatch_no = due.dispatch_no and s.status = 'RETRYING'",
        replace: "and s.dispatch_no = due.dispatch_no and s.status = 'RETRYING' and right(s.event_id::text, 1) <> '0'",
      },
    ],
    noticedBy: calm('unsettled', 'left over'),
  },
  {
    name: 'the reconciler dispatches settled events again',
    stage: 'chores',
    invariant: 'I13',
    edits: [
      {
        file: 'src/outbox/reconciler.ts',
        find: 'examined.filter(({ settled }) => !settled);',
        replace: 'examined.filter(({ dispatchNo }) => dispatchNo === 1);',
      },
    ],
    noticedBy: calmWithReconciler('repaired'),
  },
  {
    name: 'key pruning deletes new keys instead of old ones',
    stage: 'chores',
    invariant: 'I2',
    edits: [
      {
        file: 'src/db/retention/prune-keys.queries.ts',
        find: 'and created_at < now() - make_interval(hours => 24 * $3)',
        replace: 'and created_at > now() - make_interval(hours => 24 * $3)',
      },
    ],
    noticedBy: under(['kill-publisher'], 'doubled', 'left over'),
  },
  {
    name: 'retention drops a week with an unresolved dead letter',
    stage: 'chores',
    edits: [
      {
        file: 'src/outbox/retention.queries.ts',
        find: 'select not exists (select from dead_letters where resolved_at is null and ${inRange})',
        replace: 'select not exists (select from dead_letters where resolved_at is not null and ${inRange})',
      },
    ],
    noticedBy: calm('left over'),
  },
  {
    name: 'metrics of events that are committed late are not added',
    stage: 'chores',
    edits: [
      {
        file: 'src/metric-rollup/late-slices.queries.ts',
        find: 'where n > coalesce(seen, 0) order by at',
        replace: 'where n < coalesce(seen, 0) order by at',
      },
    ],
    noticedBy: { tests: ['test/integration/metrics/metric-rollup.test.ts'] },
  },
  {
    name: 'metrics count a slice again without what it was before',
    stage: 'chores',
    edits: [
      {
        file: 'src/metric-rollup/rollup.queries.ts',
        find: 'where step_seconds = ${SLICE_SECONDS} and at >= $1::timestamptz and at < $2::timestamptz`,',
        replace: 'where step_seconds = 1 and at >= $1::timestamptz and at < $2::timestamptz`,',
      },
    ],
    noticedBy: { tests: ['test/integration/metrics/metric-rollup.test.ts'] },
  },
  {
    name: 'events completed by their last delivery are not rolled up',
    stage: 'chores',
    edits: [
      {
        file: 'src/metric-rollup/facts.ts',
        find: 'where not candidate.at_once) each',
        replace: 'where false) each',
      },
    ],
    noticedBy: calm('metrics'),
  },
];
