import type { Edit } from './deliberate-fault';

/** A safeguard, and the edits that switch it off. */
export interface Safeguard {
  name: string;
  /** The invariant that it protects; see docs/guarantees.md. */
  invariant: string;
  edits: Edit[];
  /** Test files, of which at least one must fail without the safeguard. Those in test/e2e run a build of the changed tree. */
  tests: string[];
}

const INSERT_EVENTS = 'src/ingest/store/store-batch.queries.ts';
const LEASE = 'src/outbox/lease-entries.queries.ts';
const CLOSE = 'src/outbox/close-entries.queries.ts';
const ATTEMPTS = 'src/event-state/open-attempts.queries.ts';
const RABBIT = 'src/broker/rabbit-publisher.ts';
const PUBLISHER_TEST = 'test/integration/outbox/publisher.test.ts';
const SETTLER_TEST = 'test/integration/worker/settler.test.ts';

/** Each is switched off alone. Cheapest tests first. */
export const SAFEGUARDS: readonly Safeguard[] = [
  {
    name: 'the response is sent only after the commit',
    invariant: 'I1',
    edits: [
      {
        file: 'src/ingest/store/batch-writer.ts',
        find: '      const results = await storeBatch(this.pool, events);',
        replace: `      for (const { prepared, resolve } of batch) {
        resolve({ kind: 'accepted', committed: { ...prepared.event, fingerprint: prepared.fingerprint, history: null } });
      }
      const results = await storeBatch(this.pool, events);`,
      },
    ],
    tests: ['test/integration/ingest/batch-writer.test.ts'],
  },
  {
    name: 'conflicts of idempotency keys are detected',
    invariant: 'I2',
    edits: [{ file: INSERT_EVENTS, find: '    on conflict (digest) do nothing\n', replace: '' }],
    tests: ['test/integration/ingest/store-batch.test.ts'],
  },
  {
    name: 'an event gets both of its keys or neither',
    invariant: 'I2',
    edits: [{ file: INSERT_EVENTS, find: 'else refuse_partial_claim() end', replace: 'else false end' }],
    tests: ['test/integration/ingest/store-batch.test.ts'],
  },
  {
    name: 'events are cached only after the commit',
    invariant: 'I2',
    edits: [
      {
        file: 'src/ingest/store/batch-writer.ts',
        find: '      const results = await storeBatch(this.pool, events);',
        replace: `      const early = (prepared: (typeof events)[number]): IngestResult => {
        return { kind: 'accepted', committed: { ...prepared.event, fingerprint: prepared.fingerprint, history: '1' } };
      };
      this.known.remember(events, events.map(early));
      const results = await storeBatch(this.pool, events);`,
      },
    ],
    tests: ['test/integration/ingest/intake.test.ts'],
  },
  {
    name: 'cache keys carry the incarnation of the database',
    invariant: 'I2',
    edits: [{ file: 'src/redis/redis-cache.ts', find: '`streamforge:${incarnation}:key:`', replace: "'all:'" }],
    tests: ['test/contract/idempotency-cache.test.ts'],
  },
  {
    name: 'a cached fact counts only in the confirmed history',
    invariant: 'I2',
    edits: [
      {
        file: 'src/redis/confirmed-cache.ts',
        find: 'history === confirmed',
        replace: "history !== 'other' || confirmed",
      },
    ],
    tests: ['test/integration/ingest/intake.test.ts'],
  },
  {
    name: 'a message counts only in the history that it is from',
    invariant: 'I7',
    edits: [
      {
        file: 'src/worker/consume/trusted-events.ts',
        find: 'if (history === undefined || history !== message.headers.history)',
        replace:
          "if (history === undefined) return { kind: 'trusted', event, history: String(message.headers.history) };\n    if (history === 'never')",
      },
    ],
    tests: ['test/integration/worker/forgotten-events.test.ts'],
  },
  {
    name: 'nothing is settled in another history',
    invariant: 'I7',
    edits: [
      {
        file: 'src/worker/settle/settle-pass.ts',
        find: 'if (!areOf(history, items)) throw new HistoryChanged();',
        replace: "if (history === 'never' && !areOf(history, items)) throw new HistoryChanged();",
      },
    ],
    tests: ['test/integration/worker/forgotten-events.test.ts'],
  },
  {
    name: 'the payload is stored as text',
    invariant: 'I1',
    edits: [{ file: INSERT_EVENTS, find: '           payload::json$', replace: '           payload::jsonb::json$' }],
    tests: ['test/integration/ingest/store-batch.test.ts'],
  },
  {
    name: 'the mandatory flag of published messages',
    invariant: 'I3',
    edits: [{ file: RABBIT, find: 'mandatory: true,', replace: 'mandatory: false,' }],
    tests: ['test/contract/rabbit-broker.test.ts'],
  },
  {
    name: 'a returned message does not count as confirmed',
    invariant: 'I3',
    edits: [
      {
        file: RABBIT,
        find: "settle(this.takeReturn(message) ? 'unroutable' : 'confirmed')",
        replace: "settle(this.takeReturn(message) ? 'confirmed' : 'confirmed')",
      },
    ],
    tests: ['test/contract/rabbit-broker.test.ts'],
  },
  {
    name: 'the deadline for confirms',
    invariant: 'I10',
    edits: [
      {
        file: RABBIT,
        find: "setTimeout(() => end('unconfirmed'), timeoutMs)",
        replace: 'setTimeout(() => undefined, timeoutMs)',
      },
    ],
    tests: ['test/contract/rabbit-outage.test.ts'],
  },
  {
    name: 'the lease token when an entry is closed',
    invariant: 'I4',
    edits: [
      {
        file: CLOSE,
        find: "and lock_owner = $1 and status = 'IN_FLIGHT'",
        replace: "and $1::uuid is not null and status = 'IN_FLIGHT'",
      },
    ],
    tests: [PUBLISHER_TEST],
  },
  {
    name: 'an unexpired lease is not taken over',
    invariant: 'I4',
    edits: [{ file: LEASE, find: 'now() - make_interval(secs => $3))', replace: 'now() + make_interval(secs => $3))' }],
    tests: [PUBLISHER_TEST],
  },
  {
    name: 'claims skip locked entries',
    invariant: 'I10',
    edits: [{ file: LEASE, find: 'for update skip locked) locked', replace: 'for update) locked' }],
    tests: [PUBLISHER_TEST],
  },
  {
    name: 'nothing is claimed while the broker is down',
    invariant: 'I9',
    edits: [
      {
        file: 'src/outbox/publisher.ts',
        find: '    if (!this.broker.canPublish()) return MAX_POLL_MS;',
        replace: '',
      },
    ],
    tests: [PUBLISHER_TEST],
  },
  {
    name: 'a silent broker costs no attempt',
    invariant: 'I9',
    edits: [{ file: 'src/outbox/decide-closing.ts', find: '  unroutable: false,', replace: '  unroutable: true,' }],
    tests: ['test/unit/outbox/decide-closing.test.ts'],
  },
  {
    name: 'ack only after the commit',
    invariant: 'I5',
    edits: [
      {
        file: 'src/worker/consume/queue-consumer.ts',
        find: '    await this.patient.run(items, (some) => unlessHistoryChanged(settle(some)), {',
        replace: `    this.consumer.ack(messagesOf(items));
    await this.patient.run(items, (some) => unlessHistoryChanged(settle(some)), {`,
      },
    ],
    tests: ['test/integration/worker/worker-failpoints.test.ts'],
  },
  {
    name: 'one success in each generation',
    invariant: 'I7',
    edits: [
      {
        file: ATTEMPTS,
        find: "on conflict (event_id, generation) where status = 'SUCCESS' do nothing",
        replace: 'on conflict do nothing',
      },
      {
        file: 'migrations/1764000000000-initial-schema.ts',
        find: 'create unique index processing_attempts_one_success',
        replace: 'create index processing_attempts_one_success',
      },
    ],
    tests: [SETTLER_TEST],
  },
  {
    name: 'finished handlers do not run again in a retry',
    invariant: 'I7',
    edits: [
      {
        file: 'src/worker/run/transactional-handlers.ts',
        find: '!doneBefore.get(item.event.id)?.has(handler.name)',
        replace: 'Boolean(doneBefore)',
      },
    ],
    tests: ['test/integration/worker/settler-partly.test.ts'],
  },
  {
    name: 'the dispatch number is checked before handlers run',
    invariant: 'I11',
    edits: [
      {
        file: ATTEMPTS,
        find: '       where ${IS_CURRENT}\n       order by t.id',
        replace: '       order by t.id',
      },
    ],
    tests: [SETTLER_TEST],
  },
  {
    name: 'the revision is checked before handlers run',
    invariant: 'I11',
    edits: [{ file: ATTEMPTS, find: ' and s.revision is not distinct from t.revision', replace: '' }],
    tests: ['test/integration/revisions/revised-dispatches.test.ts'],
  },
  {
    name: 'the dispatch number is checked again after a wait for another worker',
    invariant: 'I11',
    edits: [
      {
        file: 'src/worker/settle/settle-pass.ts',
        find: "return state !== undefined && (state.dispatchNo > dispatchNo || state.status !== 'DISPATCHED');",
        replace: 'return state !== undefined && state.dispatchNo < 0 && dispatchNo < 0;',
      },
    ],
    tests: ['test/integration/worker/settler-overtaken.test.ts'],
  },
  {
    name: 'each dispatch is checked by its own number',
    invariant: 'I11',
    edits: [
      {
        file: 'src/worker/consume/message-router.ts',
        find: 'progressOf?.get(item.event);',
        replace: '[...(progressOf ?? [])].findLast(([{ id }]) => id === item.event.id)?.[1];',
      },
    ],
    tests: ['test/integration/worker/worker.test.ts'],
  },
  {
    name: 'a failure raises only the dispatch that failed',
    invariant: 'I11',
    edits: [
      {
        file: 'src/event-state/settle-failures.queries.ts',
        find: "s.dispatch_no = excluded.dispatch_no - 1 and s.status = 'DISPATCHED'",
        replace: 'true',
      },
    ],
    tests: ['test/integration/worker/settler-overtaken.test.ts'],
  },
  {
    name: 'the reconciler dispatches lost events',
    invariant: 'I13',
    edits: [
      {
        file: 'src/outbox/reconciler.ts',
        find: 'examined.filter(({ settled }) => !settled);',
        replace: 'examined.filter(() => false);',
      },
    ],
    tests: ['test/integration/outbox/reconciler.test.ts'],
  },
  {
    name: 'the reconciler does not skip uncommitted events',
    invariant: 'I13',
    edits: [
      {
        file: 'src/outbox/reconciler.ts',
        find: 'examined.findIndex(({ createdLongAgo, open }) => !createdLongAgo || open)',
        replace: 'examined.findIndex(({ open }) => open)',
      },
    ],
    tests: ['test/integration/outbox/reconciler.test.ts'],
  },
  {
    name: 'the reconciler raises only the dispatch that was lost',
    invariant: 'I11',
    edits: [
      {
        file: 'src/event-state/dispatch-lost.queries.ts',
        find: "           where s.dispatch_no = excluded.dispatch_no - 1 and s.status = 'DISPATCHED'\n",
        replace: '',
      },
    ],
    tests: ['test/integration/outbox/reconciler.test.ts'],
  },
  {
    name: 'redelivered messages run alone',
    invariant: 'I10',
    edits: [
      {
        file: 'src/worker/consume/queue-consumer.ts',
        find: '      for (const item of this.suspects.splice(0)) await this.settleAlone(item);',
        replace: '      await this.settle(this.suspects.splice(0));',
      },
    ],
    tests: ['test/integration/worker/worker.test.ts'],
  },
  {
    name: 'a dead letter with WORKER_CRASH after three crashes',
    invariant: 'I10',
    edits: [
      {
        file: 'src/worker/crashes/poison-detector.ts',
        find: 'if (crashes < MOST_CRASHES)',
        replace: 'if (crashes < 1e9)',
      },
    ],
    tests: ['test/integration/worker/worker.test.ts'],
  },
];
