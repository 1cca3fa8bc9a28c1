import type { DeliberateFault } from '../deliberate-fault';
import { calm, under } from './runs';

const CLOSING = 'src/outbox/decide-closing.ts';
const UNCONFIRMED = "    case 'unconfirmed':\n      return release(";

export const FAULTS_IN_OUTBOX: readonly DeliberateFault[] = [
  {
    name: "a message has its neighbour's body",
    stage: 'outbox',
    edits: [
      {
        file: 'src/outbox/publisher.ts',
        find: 'const messages = entries.map((entry) => toMessage(entry, reasons));',
        replace: `const messages = entries.map((entry, i) => {
      const neighbour = entries[(i + 1) % entries.length] as ClaimedEntry;
      return { ...toMessage(entry, reasons), body: toMessage(neighbour, reasons).body };
    });`,
      },
    ],
    noticedBy: calm('changed', 'undelivered'),
  },
  {
    name: 'a message without a confirm counts as published',
    stage: 'outbox',
    invariant: 'I3',
    edits: [
      {
        file: CLOSING,
        find: UNCONFIRMED,
        replace: "    case 'unconfirmed':\n      if (attempts >= 0) return { kind: 'publish' };\n      return release(",
      },
    ],
    noticedBy: under(['hang-rabbitmq', 'cut-rabbitmq'], 'unsettled', 'left over'),
  },
  {
    name: 'entries become FAILED while the broker does not respond',
    stage: 'outbox',
    invariant: 'I9',
    edits: [
      {
        file: CLOSING,
        find: UNCONFIRMED,
        replace:
          "    case 'unconfirmed':\n      if (attempts >= 0) return { kind: 'fail', reason: 'no answer' };\n      return release(",
      },
    ],
    noticedBy: under(['hang-rabbitmq', 'stop-rabbitmq'], 'left over'),
  },
  {
    name: 'expired leases are never taken over',
    stage: 'outbox',
    invariant: 'I4',
    edits: [
      {
        file: 'src/outbox/lease-entries.queries.ts',
        find: "or status = 'IN_FLIGHT' and lock_acquired_at < now() - make_interval(secs => $3))",
        replace: "or status = 'IN_FLIGHT' and lock_acquired_at < now() - make_interval(secs => $3 * 1000))",
      },
    ],
    noticedBy: under(['kill-publisher'], 'left over'),
  },
];
