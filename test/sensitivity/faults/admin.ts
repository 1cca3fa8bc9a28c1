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
    noticedBy: { tests: ['test/e2e/admin/admin-replay.test.ts'] },
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
  {
    name: 'an operator who is bound to tenants finds the events of others',
    stage: 'admin',
    edits: [
      {
        file: 'src/admin/events/event-conditions.queries.ts',
        find: '${table}.tenant_id = any ($13))`',
        replace: '${table}.tenant_id <> all ($13) or ${table}.tenant_id = any ($13))`',
      },
    ],
    noticedBy: { tests: ['test/e2e/admin/operator-scopes.test.ts'] },
  },
  {
    name: 'every operator may do everything',
    stage: 'admin',
    edits: [
      {
        file: 'src/access/least-role.ts',
        find: '  if (includesRole(role, least)) return;\n',
        replace: '  if (includesRole(role, least) || role.length > 0) return;\n',
      },
    ],
    noticedBy: { tests: ['test/e2e/admin/roles-first.test.ts'] },
  },
  {
    name: 'viewers see payloads',
    stage: 'admin',
    edits: [
      {
        file: 'src/access/tenant.guard.ts',
        find: "seesPayloads: includesRole(caller.role, 'support')",
        replace: "seesPayloads: includesRole(caller.role, 'viewer')",
      },
    ],
    noticedBy: { tests: ['test/e2e/admin/operator-scopes.test.ts'] },
  },
  {
    name: 'an idempotency key gives other operators the answer to its first request',
    stage: 'admin',
    edits: [
      {
        file: 'src/admin/endpoint/admin-actions.ts',
        find: '`operator:${JSON.stringify([id, idempotency.key])}`',
        replace: '`operator:${JSON.stringify([idempotency.key])}`',
      },
    ],
    noticedBy: { tests: ['test/e2e/admin/audit-trail.test.ts'] },
  },
  {
    name: 'the audit trail shows bound operators the actions that covered all tenants',
    stage: 'admin',
    edits: [
      {
        file: 'src/admin/audit/audit.queries.ts',
        find: 'then ${column} <@ ${values} end)`',
        replace: 'then true end or ${column} is null)`',
      },
    ],
    noticedBy: { tests: ['test/e2e/admin/audit-trail.test.ts'] },
  },
  {
    name: 'two operators resubmit a rejection at the same time',
    stage: 'admin',
    invariant: 'I2',
    edits: [
      {
        file: 'src/rejections/settle-rejections.queries.ts',
        find: '      order by id for no key update skip locked`',
        replace: '      order by id`',
      },
    ],
    noticedBy: { tests: ['test/e2e/admin/resubmit-once.test.ts'] },
  },
  {
    name: 'a patched record is sent without the key that it was sent with',
    stage: 'admin',
    invariant: 'I2',
    edits: [
      {
        file: 'src/admin/rejections/resubmission/key-for-resubmission.ts',
        find: 'return { key: keyOfRecord(kept) ?? own, replacesMapped: false };',
        replace: 'return { key: own ?? keyOfRecord(kept), replacesMapped: false };',
      },
    ],
    noticedBy: { tests: ['test/e2e/admin/resubmit-once.test.ts'] },
  },
  {
    name: 'another attempt to resubmit a rejection does not find its event',
    stage: 'admin',
    invariant: 'I2',
    edits: [
      {
        file: 'src/admin/rejections/resubmission/read-again.ts',
        find: 'rejectionDigest: rejectionKey(tenantId, id, i + 1)',
        replace: 'rejectionDigest: rejectionKey(tenantId, one.event.id, i + 1)',
      },
    ],
    noticedBy: { tests: ['test/e2e/admin/resubmit-crash.test.ts'] },
  },
  {
    name: 'an erasure leaves the payload of the event',
    stage: 'admin',
    invariant: 'I12',
    edits: [
      {
        file: 'src/admin/erasures/selection/selected-events.queries.ts',
        find: "update events set payload = 'null', extensions = null,",
        replace: 'update events set extensions = null,',
      },
    ],
    noticedBy: calm('not erased'),
  },
];
