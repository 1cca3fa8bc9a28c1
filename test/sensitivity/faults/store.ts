import type { DeliberateFault } from '../deliberate-fault';
import { calm, under } from './runs';

const STORE = 'src/ingest/store/store-batch.queries.ts';

export const FAULTS_IN_STORE: readonly DeliberateFault[] = [
  {
    name: "an event is stored with its neighbour's time",
    stage: 'store',
    invariant: 'I1',
    edits: [
      {
        file: STORE,
        find: 'columns.map(([, , pick]) => batch.map(pick).join(SEPARATOR))',
        replace: `columns.map(([name, , pick]) => {
      const shift = name === 'occurred_at' ? 1 : 0;
      return batch.map((_, i) => pick(batch[(i + shift) % batch.length] as PreparedEvent)).join(SEPARATOR);
    })`,
      },
    ],
    noticedBy: calm('changed'),
  },
  {
    name: 'one event of 256 is answered but not stored',
    stage: 'store',
    invariant: 'I1',
    edits: [
      {
        file: STORE,
        find: '           payload::json${sourceColumns}\n      from winners\n',
        replace: "           payload::json${sourceColumns}\n      from winners where right(id::text, 2) <> '00'\n",
      },
    ],
    noticedBy: calm('lost'),
  },
  {
    name: 'commits do not wait for the disk',
    stage: 'store',
    invariant: 'I1',
    edits: [
      {
        file: 'src/db/session/session-needs.ts',
        find: "['jit', 'off'],",
        replace: "['jit', 'off'],\n  ['synchronous_commit', 'off'],",
      },
    ],
    noticedBy: under(['kill-postgres'], 'lost'),
  },
  {
    name: 'a batch that could not be stored is answered as accepted',
    stage: 'store',
    invariant: 'I1',
    edits: [
      {
        file: 'src/ingest/store/batch-writer.ts',
        find: "for (const { caller, place } of failed) caller.settle(place, { status: 'rejected', reason: error });",
        replace: `for (const { prepared, caller, place } of failed) {
        const committed = { ...prepared.event, fingerprint: prepared.fingerprint, history: null };
        if (!unavailable) caller.settle(place, { status: 'rejected', reason: error });
        else caller.settle(place, { status: 'fulfilled', value: { kind: 'accepted', committed } });
      }`,
      },
    ],
    noticedBy: under(['kill-postgres', 'stop-postgres', 'hang-postgres'], 'lost', 'doubled'),
  },
  {
    name: 'a database that is read-only counts as a fault of the statement',
    stage: 'store',
    invariant: 'I9',
    edits: [{ file: 'src/db/failure-classes.ts', find: "codes: ['25006'],", replace: 'codes: [],' }],
    noticedBy: under(['readonly-postgres'], 'strange answer', 'failed by an outage'),
  },
  {
    name: 'a connection to PostgreSQL on which nothing arrives is kept',
    stage: 'store',
    invariant: 'I13',
    edits: [
      { file: 'src/db/silent-connections.ts', find: 'const SILENT_LOOKS = 3;', replace: 'const SILENT_LOOKS = 3_000;' },
    ],
    noticedBy: under(['forget-postgres'], 'left over'),
  },
  {
    name: 'behind a pooler, a prepared statement keeps its name',
    stage: 'store',
    edits: [
      {
        file: 'src/db/session/keep-no-state.ts',
        find: 'function run({ name: _name, ...statement }: QueryConfig)',
        replace: 'function run({ ...statement }: QueryConfig)',
      },
    ],
    noticedBy: under(['kill-pooler'], 'strange answer', 'failed by an outage'),
  },
];
