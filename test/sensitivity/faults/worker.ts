import type { DeliberateFault } from '../deliberate-fault';
import { calm, goingBack, under } from './runs';

const CONSUMER = 'src/worker/consume/queue-consumer.ts';

export const FAULTS_IN_WORKER: readonly DeliberateFault[] = [
  {
    name: 'messages are acked when they arrive',
    stage: 'worker',
    invariant: 'I5',
    edits: [
      {
        file: CONSUMER,
        find: '      this.arrived.push(message);\n',
        replace: '      this.arrived.push(message);\n      this.consumer.ack([message]);\n',
      },
    ],
    noticedBy: under(['kill-worker'], 'unsettled', 'left over'),
  },
  {
    name: 'messages are never acked',
    stage: 'worker',
    invariant: 'I13',
    edits: [
      {
        file: CONSUMER,
        find: 'done: (some, settled) => (settled ? this.ack(messagesOf(some)) : this.readAgain(some)),',
        replace: 'done: () => undefined,',
      },
    ],
    noticedBy: calm('left over', 'unsettled'),
  },
  {
    name: 'crash counts are never cleared',
    stage: 'worker',
    invariant: 'I10',
    edits: [
      {
        file: 'src/worker/settle/settle-pass.ts',
        find: '    await clearStarts(db, idsOf(items.filter(({ marked }) => marked)));\n',
        replace: '    await clearStarts(db, idsOf(items.filter(({ marked }) => marked && false)));\n',
      },
    ],
    // A publisher deletes such counts, so nothing is left over when the fault suite looks.
    noticedBy: { tests: ['test/integration/worker/worker.test.ts'] },
  },
  {
    name: 'a batch begins beside an event that may kill the worker',
    stage: 'worker',
    invariant: 'I10',
    edits: [{ file: CONSUMER, find: '&& !this.settlesSuspect && this.suspects.length === 0;', replace: ';' }],
    noticedBy: { tests: ['test/integration/worker/worker.test.ts'] },
  },
  {
    name: 'a batch is given up when a handler fails',
    stage: 'worker',
    invariant: 'I10',
    edits: [
      {
        file: 'src/worker/settle/next-step.ts',
        find: "  if (!isolating && !timedOut) return { kind: 'pass', tried: { ...tried, mode: 'isolating' } };\n",
        replace: "  if (!isolating && !timedOut) return { kind: 'give-up' };\n",
      },
    ],
    noticedBy: calm('left over', 'unsettled'),
  },
  {
    name: 'messages are settled in another history than they are from',
    stage: 'worker',
    invariant: 'I7',
    edits: [
      {
        file: 'src/worker/work-item.ts',
        find: 'item.history === undefined || item.history === history)',
        replace: "item.history === undefined || item.history === history || history !== '')",
      },
    ],
    noticedBy: goingBack('failover', 'usage'),
  },
];
