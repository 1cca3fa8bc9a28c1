import type { DeliberateFault } from '../deliberate-fault';
import { calm, under } from './runs';

const PREPARE = 'src/event/prepare-event.ts';
const SUMMARY = 'src/ingest/stream/stream-summary.ts';

export const FAULTS_IN_INGEST: readonly DeliberateFault[] = [
  {
    name: 'the UTC offset of occurredAt is ignored',
    stage: 'ingest',
    edits: [
      {
        file: 'src/event/instant.ts',
        find: 'Number(second)) * 1000 -\n    offsetMs;',
        replace: 'Number(second)) * 1000 -\n    0 * offsetMs;',
      },
    ],
    noticedBy: calm('changed'),
  },
  {
    name: "a record's correlation id is replaced by that of its request",
    stage: 'ingest',
    edits: [
      {
        file: PREPARE,
        find: 'correlationId: envelope.correlationId ?? context.correlationId,',
        replace: 'correlationId: context.correlationId,',
      },
    ],
    noticedBy: calm('changed'),
  },
  {
    name: 'the size of an event is that of its payload',
    stage: 'ingest',
    edits: [
      {
        file: PREPARE,
        find: '      sizeBytes,\n',
        replace: '      sizeBytes: Math.min(sizeBytes, Buffer.byteLength(payloadJson)),\n',
      },
    ],
    noticedBy: calm('changed'),
  },
  {
    name: 'lastCommittedRecord is one too high',
    stage: 'ingest',
    invariant: 'I14',
    edits: [
      { file: SUMMARY, find: 'this.lastCommittedRecord = record;', replace: 'this.lastCommittedRecord = record + 1;' },
    ],
    noticedBy: calm('rejection', 'lost'),
  },
  {
    name: 'a summary counts rejected records as duplicates',
    stage: 'ingest',
    invariant: 'I14',
    edits: [{ file: SUMMARY, find: '      this.rejected += 1;\n', replace: '      this.duplicates += 1;\n' }],
    noticedBy: calm('rejection', 'strange answer'),
  },
  {
    name: 'metrics count the records of a stream twice',
    stage: 'ingest',
    edits: [
      {
        file: 'src/ingest/stream/stream-ingest.ts',
        find: "this.metrics.ingestTotal.inc({ source: 'stream', status: result.kind });",
        replace: "this.metrics.ingestTotal.inc({ source: 'stream', status: result.kind }, 2);",
      },
    ],
    noticedBy: calm('metrics'),
  },
  {
    name: 'a process whose clock is wrong goes by it',
    stage: 'ingest',
    edits: [
      {
        file: 'src/event/time-of-day.ts',
        find: 'sharedMs !== undefined && Math.abs(ownMs - sharedMs) <= MOST_DIFFERENCE_MS',
        replace: 'MOST_DIFFERENCE_MS > 0',
      },
    ],
    noticedBy: under(['jump-api'], 'changed'),
  },
];
