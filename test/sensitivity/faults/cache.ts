import type { DeliberateFault } from '../deliberate-fault';
import { calm, goingBack, under } from './runs';

const KNOWN = 'src/ingest/store/known-events.ts';

export const FAULTS_IN_CACHE: readonly DeliberateFault[] = [
  {
    name: "a fact is cached under its neighbour's key",
    stage: 'cache',
    invariant: 'I2',
    edits: [
      {
        file: KNOWN,
        find: '(events[i] as PreparedEvent).keyDigest',
        replace: '(events[(i + 1) % events.length] as PreparedEvent).keyDigest',
      },
    ],
    noticedBy: { tests: ['test/integration/ingest/intake.test.ts'] },
  },
  {
    name: 'events are cached before they are committed',
    stage: 'cache',
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
    noticedBy: { tests: ['test/integration/ingest/intake.test.ts'] },
  },
  {
    name: 'a duplicate found in the cache is answered with the wrong receivedAt',
    stage: 'cache',
    edits: [
      {
        file: KNOWN,
        find: "return { ...decision, layer: 'cache' };",
        replace:
          "return { ...decision, of: { ...decision.of, receivedAt: prepared.event.receivedAt }, layer: 'cache' };",
      },
    ],
    noticedBy: calm('changed'),
  },
  {
    name: 'the signature of a cached fact is not checked',
    stage: 'cache',
    invariant: 'I2',
    edits: [
      {
        file: 'src/redis/cached-fact.ts',
        find: '[key, json]) ? readFact',
        replace: '[key, json]) || signature ? readFact',
      },
    ],
    noticedBy: { tests: ['test/contract/idempotency-cache.test.ts'] },
  },
  {
    name: 'a connection to Redis on which nothing arrives is kept',
    stage: 'cache',
    invariant: 'I13',
    edits: [
      {
        file: 'src/redis/replace-when-silent.ts',
        find: 'const SILENT_LOOKS = 3;',
        replace: 'const SILENT_LOOKS = 3_000;',
      },
    ],
    noticedBy: under(['forget-redis'], 'left over'),
  },
  {
    name: 'a cached fact counts in every history of the database',
    stage: 'cache',
    invariant: 'I2',
    edits: [
      {
        file: 'src/redis/confirmed-cache.ts',
        find: 'history === confirmed',
        replace: "history !== 'other' || confirmed",
      },
    ],
    noticedBy: goingBack('failover', 'lost'),
  },
  {
    name: 'a dump that is restored in place begins no history',
    stage: 'cache',
    invariant: 'I2',
    edits: [
      {
        file: 'src/db/history/history.queries.ts',
        find: "pg_relation_filepath('idempotency_keys'),\n             h.tableoid, h.ctid, h.xmin, h.token",
        replace: 'h.token',
      },
    ],
    noticedBy: goingBack('restore', 'lost'),
  },
];
