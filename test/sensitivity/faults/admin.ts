import type { DeliberateFault } from '../deliberate-fault';
import { calm } from './runs';

export const FAULTS_IN_ADMIN: readonly DeliberateFault[] = [
  {
    name: 'a discarded event keeps the status DLQ',
    stage: 'admin',
    edits: [
      {
        file: 'src/event-state/discard-dead-letters.queries.ts',
        find: "update event_state s set status = 'DISCARDED', updated_at = now()",
        replace: 'update event_state s set updated_at = now()',
      },
    ],
    noticedBy: calm('dead letter'),
  },
  {
    name: 'a dead letter that is retried stays unresolved',
    stage: 'admin',
    edits: [
      {
        file: 'src/event-state/dispatch-dead-letters.queries.ts',
        find: 'where event_id = any (array(select event_id from raised)) and resolved_at is null',
        replace: 'where event_id = any (array(select event_id from raised)) and resolved_at is not null',
      },
    ],
    noticedBy: calm('dead letter'),
  },
  {
    name: 'a replay raises the generation by two',
    stage: 'admin',
    invariant: 'I12',
    edits: [
      {
        file: 'src/event-state/dispatch-replayed.queries.ts',
        find: "generation + case when $1 = 'reprocess' then 1 else 0 end",
        replace: "generation + case when $1 = 'reprocess' then 2 else 0 end",
      },
    ],
    noticedBy: calm('operator', 'unsettled'),
  },
  {
    name: 'an admin action is recorded twice in the audit',
    stage: 'admin',
    edits: [
      {
        file: 'src/admin/endpoint/admin-actions.ts',
        find: '          done = await action.work(db, id);\n',
        replace:
          '          await claimEntry(db, { ...action, id: uuidV7(), key: undefined }, 0);\n          done = await action.work(db, id);\n',
      },
    ],
    noticedBy: calm('operator'),
  },
];
