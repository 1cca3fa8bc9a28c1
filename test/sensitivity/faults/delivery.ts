import type { DeliberateFault } from '../deliberate-fault';
import { calm } from './runs';

const SIGNER = 'src/destinations/secrets/webhook-signer.ts';

export const FAULTS_IN_DELIVERY: readonly DeliberateFault[] = [
  {
    name: 'one delivery of 50 is not sent and counts as accepted',
    stage: 'delivery',
    invariant: 'I7',
    edits: [
      {
        file: 'src/destinations/delivery-client.ts',
        find: '  const outcome = await exchange(connections, { url: new URL(url), timeoutMs, ...request }, signal);\n',
        replace:
          "  if (Math.random() < 0.02) return { kind: 'answered', status: 204, text: '' };\n  const outcome = await exchange(connections, { url: new URL(url), timeoutMs, ...request }, signal);\n",
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
    name: 'a disabled destination gets deliveries',
    stage: 'delivery',
    edits: [
      {
        file: 'src/delivery-state/record-deliveries.queries.ts',
        find: "when to_.enabled is not true then 'SKIPPED'",
        replace: "when to_.id is null then 'SKIPPED'",
      },
      {
        file: 'src/delivery-state/claim-deliveries.queries.ts',
        find: "CLAIMABLE = '(to_.enabled and ",
        replace: "CLAIMABLE = '(",
      },
      {
        file: 'src/deliveries/delivery-line.ts',
        find: 'return this.destination.enabled && this.destination.pausedAt === null;',
        replace: 'return this.destination.pausedAt === null;',
      },
    ],
    noticedBy: calm('repeated'),
  },
];
