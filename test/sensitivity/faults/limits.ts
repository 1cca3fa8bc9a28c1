import type { DeliberateFault } from '../deliberate-fault';
import { calm, under } from './runs';

export const FAULTS_IN_LIMITS: readonly DeliberateFault[] = [
  {
    name: 'payloads may be nested ten times as deep',
    stage: 'limits',
    invariant: 'I14',
    edits: [
      {
        file: 'src/event/prepare-event.ts',
        find: 'export const MAX_DEPTH = 64;',
        replace: 'export const MAX_DEPTH = 640;',
      },
    ],
    noticedBy: calm('rejection'),
  },
  {
    name: 'records of a stream may be twice as large',
    stage: 'limits',
    invariant: 'I14',
    edits: [
      {
        file: 'src/ingest/stream/stream-ingest.ts',
        find: 'format.records(this.settings.MAX_EVENT_BYTES, source)',
        replace: 'format.records(2 * this.settings.MAX_EVENT_BYTES, source)',
      },
      {
        file: 'src/event/prepare-event.ts',
        find: 'return receivedBytes > maxBytes ?',
        replace: 'return receivedBytes > 2 * maxBytes ?',
      },
    ],
    noticedBy: calm('rejection'),
  },
  {
    name: 'the queue of the batch writer has no limit',
    stage: 'limits',
    edits: [
      {
        file: 'src/ingest/store/batch-writer.ts',
        find: 'return this.queue.length < MAX_QUEUED_EVENTS && this.queuedBytes < MAX_QUEUED_BYTES;',
        replace: 'return this.queue.length < MAX_QUEUED_EVENTS * MAX_QUEUED_BYTES;',
      },
    ],
    noticedBy: { tests: ['test/integration/ingest/batch-writer.test.ts'] },
  },
  {
    name: 'a client that reads nothing keeps its connection',
    stage: 'limits',
    edits: [
      {
        file: 'src/http/connections/unread-responses.ts',
        find: 'nowMs - output.sinceMs < stallMs) continue;',
        replace: 'nowMs - output.sinceMs < 100 * stallMs) continue;',
      },
    ],
    noticedBy: under(['unread-readers'], 'strange answer'),
  },
  {
    name: 'a stream breaks off when its results cannot be kept on disk',
    stage: 'limits',
    invariant: 'I14',
    edits: [
      {
        file: 'src/ingest/results/spill.ts',
        find: '      this.failed(error);\n      return undefined;\n',
        replace: '      this.failed(error);\n      throw error;\n',
      },
    ],
    noticedBy: { tests: ['test/e2e/ingest/unread-results.test.ts'] },
  },
  {
    name: 'the rate limit per tenant is ignored',
    stage: 'limits',
    edits: [
      {
        file: 'src/access/limits/meter.ts',
        find: 'if (limit === 0) return this.reservation(wanted, tenantId, taker,',
        replace: 'if (limit >= 0) return this.reservation(wanted, tenantId, taker,',
      },
    ],
    noticedBy: { tests: ['test/e2e/ingest/tenant-limits.test.ts'] },
  },
  {
    name: 'duplicates use up the limit of their tenant',
    stage: 'limits',
    edits: [
      {
        file: 'src/access/limits/meter.ts',
        find: '    if (!from || points === 0) return;\n',
        replace: '    if (!from || points >= 0) return;\n',
      },
    ],
    noticedBy: { tests: ['test/e2e/ingest/tenant-limits.test.ts'] },
  },
  {
    name: 'points that are given back count twice',
    stage: 'limits',
    edits: [
      {
        file: 'src/access/limits/meter.ts',
        find: '    from.spare[taker] += points;\n',
        replace: '    from.spare[taker] += 2 * points;\n',
      },
    ],
    noticedBy: { tests: ['test/unit/access/meter.test.ts'] },
  },
  {
    name: 'a stream waits for the limit of its tenant for ever',
    stage: 'limits',
    edits: [
      {
        file: 'src/ingest/stream/limit-queue.ts',
        find: '      if (wait.endsAtMs > nowMs) continue;\n',
        replace: '      if (wait.endsAtMs > 0 * nowMs) continue;\n',
      },
    ],
    noticedBy: { tests: ['test/unit/ingest/stream-pacer.test.ts'] },
  },
  {
    name: 'an encoded body may expand without end',
    stage: 'limits',
    edits: [
      {
        file: 'src/ingest/decoding/expansion.ts',
        find: 'if (this.isTooLarge) throw this.problem();',
        replace: 'if (this.isTooLarge) void this.problem();',
      },
    ],
    noticedBy: { tests: ['test/unit/ingest/expansion.test.ts'] },
  },
  {
    name: 'decompressors are never given back',
    stage: 'limits',
    edits: [
      {
        file: 'src/ingest/decoding/decoders.ts',
        find: '      if (isOpen) this.giveBack();\n',
        replace: '',
      },
    ],
    noticedBy: { tests: ['test/unit/ingest/decoders.test.ts'] },
  },
  {
    name: 'bytes of single events are not limited',
    stage: 'limits',
    edits: [
      {
        file: 'src/access/limits/tenant-limiter.ts',
        find: 'const isUnlimited = this.bytes.limitOf(tenantId) === 0;',
        replace: 'const isUnlimited = this.bytes.limitOf(tenantId) >= 0;',
      },
    ],
    noticedBy: { tests: ['test/e2e/ingest/limits-of-tenants.test.ts'] },
  },
  {
    name: 'bytes of streams are not limited',
    stage: 'limits',
    edits: [
      {
        file: 'src/ingest/stream/stream-source.ts',
        find: 'const charged = this.pace.limitsBytes\n',
        replace: 'const charged = !this.pace.limitsBytes\n',
      },
    ],
    noticedBy: { tests: ['test/e2e/ingest/limits-of-tenants.test.ts'] },
  },
  {
    name: 'a stream goes on after its tenant was suspended',
    stage: 'limits',
    edits: [
      {
        file: 'src/ingest/stream/paced-stream.ts',
        find: '    if (refusal) throw refusal;\n',
        replace: '    if (refusal) void refusal;\n',
      },
    ],
    noticedBy: { tests: ['test/e2e/ingest/stream-senders.test.ts'] },
  },
  {
    name: 'spare points of a larger limit outlive it',
    stage: 'limits',
    edits: [
      {
        file: 'src/access/limits/meter.ts',
        find: '    if (held.limit !== limit) this.changeLimit(tenantId, held, limit);\n',
        replace: '',
      },
    ],
    noticedBy: { tests: ['test/unit/access/meter.test.ts'] },
  },
  {
    name: 'wrong admin tokens are not limited',
    stage: 'limits',
    edits: [
      {
        file: 'src/access/refusals/refused-credentials.ts',
        find: 'if (minute.count > most)',
        replace: 'if (minute.count < 0)',
      },
    ],
    noticedBy: { tests: ['test/e2e/admin/admin-access.test.ts'] },
  },
];
