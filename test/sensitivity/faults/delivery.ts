import type { DeliberateFault } from '../deliberate-fault';
import { calm } from './runs';

const ENGINE_TEST = 'test/integration/deliveries/engine.test.ts';
const CLAIM = 'src/delivery-state/claim-deliveries.queries.ts';
const SETTLE = 'src/delivery-state/settle-deliveries.queries.ts';
const FILL = 'src/delivery-state/fill-deliveries.queries.ts';
const SCHEDULE = 'src/deliveries/decide/retry-schedule.ts';
const GUARD = 'src/destinations/address/address-guard.ts';
const SIGNER = 'src/destinations/secrets/webhook-signer.ts';

export const FAULTS_IN_DELIVERY: readonly DeliberateFault[] = [
  {
    name: 'one delivery of 50 is not sent and counts as accepted',
    stage: 'delivery',
    invariant: 'I7',
    edits: [
      {
        file: 'src/destinations/delivery-client.ts',
        find: '  const outcome = await exchange(connections, { url: new URL(url), leftMs, ...request }, signal);\n',
        replace:
          "  if (Math.random() < 0.02) return { kind: 'answered', status: 204, text: '' };\n  const outcome = await exchange(connections, { url: new URL(url), leftMs, ...request }, signal);\n",
      },
    ],
    noticedBy: calm('undelivered'),
  },
  {
    name: 'each attempt has another webhook-id',
    stage: 'delivery',
    invariant: 'I7',
    edits: [
      {
        file: SIGNER,
        find: '  headers(id: string, body: string | Buffer, now: Date): Record<string, string> {\n',
        replace:
          '  headers(eventId: string, body: string | Buffer, now: Date): Record<string, string> {\n    const id = `${eventId}.${now.getTime()}`;\n',
      },
    ],
    noticedBy: calm('doubled'),
  },
  {
    name: 'the signature covers another body',
    stage: 'delivery',
    edits: [
      {
        file: SIGNER,
        find: '`${id}.${seconds}.`, body);',
        replace: '`${id}.${seconds}.`, body.slice(1));',
      },
    ],
    noticedBy: calm('unsigned'),
  },
  {
    name: 'one accepted delivery of 50 is sent again',
    stage: 'delivery',
    invariant: 'I7',
    edits: [
      {
        file: 'src/deliveries/decide/classify-answer.ts',
        find: "if (status < 300) return { kind: 'done',",
        replace: "if (status < 300) return { kind: Math.random() < 0.02 ? 'retry' : 'done',",
      },
    ],
    noticedBy: calm('repeated'),
  },
  {
    name: 'status 500 counts as accepted',
    stage: 'delivery',
    edits: [
      {
        file: 'src/deliveries/decide/classify-answer.ts',
        find: "if (status < 300) return { kind: 'done',",
        replace: "if (status < 300 || status === 500) return { kind: 'done',",
      },
    ],
    noticedBy: calm('undelivered'),
  },
  {
    name: 'a disabled destination gets open deliveries',
    stage: 'delivery',
    edits: [
      {
        file: 'src/delivery-state/record-deliveries.queries.ts',
        find: "when to_.enabled is not true then 'SKIPPED'",
        replace: "when to_.id is null then 'SKIPPED'",
      },
    ],
    noticedBy: { tests: ['test/integration/deliveries/record-deliveries.test.ts'] },
  },
  {
    name: 'a claim takes deliveries to a disabled destination',
    stage: 'delivery',
    edits: [{ file: CLAIM, find: "CLAIMABLE = '(to_.enabled and ", replace: "CLAIMABLE = '(" }],
    noticedBy: { tests: ['test/integration/deliveries/claim-deliveries.test.ts'] },
  },
  {
    name: 'a worker sends to a destination that it knows to be disabled',
    stage: 'delivery',
    edits: [
      {
        file: 'src/deliveries/delivery-line.ts',
        find: 'return enabled && pausedAt === null',
        replace: 'return enabled !== undefined && pausedAt === null',
      },
    ],
    noticedBy: { tests: ['test/unit/deliveries/delivery-line.test.ts'] },
  },
  {
    name: 'the hosts of destinations are looked up one after the other',
    stage: 'delivery',
    invariant: 'I10',
    edits: [
      {
        file: GUARD,
        find: '  private readonly pending = new Map<string, Promise<LookupAddress[]>>();\n',
        replace: `  private readonly pending = new Map<string, Promise<LookupAddress[]>>();
  private before: Promise<unknown> = Promise.resolve();\n`,
      },
      {
        file: GUARD,
        find: '      pending = this.resolve(hostname).finally(() => this.pending.delete(hostname));\n',
        replace: `      pending = this.before.then(() => this.resolve(hostname)).finally(() => this.pending.delete(hostname));
      this.before = pending.catch(() => undefined);\n`,
      },
    ],
    noticedBy: { tests: ['test/e2e/delivery/name-servers.test.ts'] },
  },
  {
    name: 'a paused destination gets deliveries',
    stage: 'delivery',
    edits: [
      {
        file: CLAIM,
        find: 'to_.paused_at is null and failing.open_until is null',
        replace: 'failing.open_until is null',
      },
      {
        file: CLAIM,
        find: 'to_.paused_at is null and failing.open_until <= now()',
        replace: 'failing.open_until <= now()',
      },
      {
        file: 'src/deliveries/delivery-line.ts',
        find: 'return enabled && pausedAt === null',
        replace: 'return enabled && (pausedAt === null || enabled)',
      },
    ],
    noticedBy: { tests: ['test/integration/deliveries/claim-deliveries.test.ts'] },
  },
  {
    name: 'a backfill makes deliveries to the other destinations of the tenant too',
    stage: 'delivery',
    edits: [
      {
        file: FILL,
        find: "select id, $2, generation, tenant_id, type, 'OPEN', $3, revision from assessed where reason is null order by id",
        replace:
          "select a.id, t.id, a.generation, a.tenant_id, a.type, 'OPEN', $3, a.revision from assessed a join destinations t on t.tenant_id = a.tenant_id where a.reason is null order by a.id, t.id",
      },
      {
        file: FILL,
        find: 'returning event_id, generation',
        replace: 'returning event_id, destination_id, generation',
      },
      {
        file: FILL,
        find: 'select event_id, $2, generation,',
        replace: 'select event_id, destination_id, generation,',
      },
    ],
    noticedBy: { tests: ['test/e2e/admin/backfill.test.ts'] },
  },
  {
    name: 'first tries are sent and not recorded',
    stage: 'delivery',
    invariant: 'I7',
    edits: [
      {
        file: 'src/worker/settle/pass-deliveries.ts',
        find: 'this.rows = await recordDeliveries(db, due, this.lease);',
        replace:
          "void [recordDeliveries, db];\n    this.rows = due.map((one) => ({ ...one, generation: 1, outcome: 'leased' as const }));",
      },
    ],
    noticedBy: calm('undelivered'),
  },
  {
    name: 'an attempt is settled without a look at its lease',
    stage: 'delivery',
    invariant: 'I4',
    edits: [
      {
        file: SETTLE,
        find: 'and q.lease = given.lease',
        replace: '',
      },
      {
        file: SETTLE,
        find: "and q.lease = locked.lease and locked.status <> 'OPEN'",
        replace: "and locked.status <> 'OPEN'",
      },
      {
        file: SETTLE,
        find: "and q.lease = locked.lease and locked.status = 'OPEN'",
        replace: "and locked.status = 'OPEN'",
      },
    ],
    noticedBy: { tests: [ENGINE_TEST] },
  },
  {
    name: 'a claim takes deliveries that others have leased',
    stage: 'delivery',
    invariant: 'I4',
    edits: [
      {
        file: CLAIM,
        find: 'where destination_id = a.destination_id and due_at <= now()',
        replace: 'where destination_id = a.destination_id and (due_at <= now() or lease is not null)',
      },
    ],
    noticedBy: { tests: ['test/integration/deliveries/claim-deliveries.test.ts'] },
  },
  {
    name: 'the sweep finds no delivery that is due',
    stage: 'delivery',
    invariant: 'I13',
    edits: [
      {
        file: 'src/deliveries/delivery-sweep.ts',
        find: '{ due, failing }, readMs)',
        replace: '{ due: due.slice(due.length), failing }, readMs)',
      },
    ],
    noticedBy: { tests: [ENGINE_TEST] },
  },
  {
    name: 'a delivery forgets how many tries it has used up',
    stage: 'delivery',
    edits: [
      {
        file: SETTLE,
        find: 'tries = d.tries + held.uses_try::integer',
        replace: 'tries = 0 * (d.tries + held.uses_try::integer)',
      },
    ],
    noticedBy: calm('attempts'),
  },
  {
    name: 'deliveries do not wait for their next try',
    stage: 'delivery',
    edits: [
      {
        file: SCHEDULE,
        find: 'const varied = wait * (',
        replace: 'const varied = 0 * wait * (',
      },
    ],
    noticedBy: calm('attempts'),
  },
  {
    name: 'the first failure of a delivery is final',
    stage: 'delivery',
    invariant: 'I9',
    edits: [
      {
        file: SCHEDULE,
        find: "if (wait === undefined) return { kind: 'failed', exhausted: true };",
        replace: "if (wait === undefined || tries >= 0) return { kind: 'failed', exhausted: true };",
      },
    ],
    noticedBy: calm('failed by an outage'),
  },
  {
    name: 'a claim that began before a revision was made sends the event without it',
    stage: 'delivery',
    invariant: 'I12',
    edits: [{ file: CLAIM, find: 'greatest(due.revision, d.revision) as revision', replace: 'd.revision' }],
    noticedBy: { tests: ['test/integration/revisions/revised-deliveries.test.ts'] },
  },
];
